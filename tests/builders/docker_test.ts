// The docker builder and its post-processors, with podman as docker.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  type DockerBench,
  dockerBench,
  missingPodman,
} from "../support/podman.ts";
import { forEachHost, type Workspace } from "../support/harness.ts";
import { processesWith } from "../packer/support.ts";

const BASE = { type: "docker", image: "localhost/base", pull: false };

function testDocker(
  promise: string,
  test: (workspace: Workspace, bench: DockerBench) => Promise<void>,
): void {
  forEachHost(promise, async (workspace) => {
    const bench = await dockerBench(workspace);
    await test(workspace, bench);
    assertEquals(await bench.docker("ps", "-aq"), "", "a container is left");
    assertEquals(
      await bench.docker("volume", "ls", "-q"),
      "",
      "a volume is left",
    );
  }, { ignore: missingPodman, limitMs: 300_000 });
}

/** The ids of all images. */
async function images({ docker }: DockerBench): Promise<string[]> {
  const ids = await docker("images", "-aq", "--no-trunc");
  return [...new Set(ids.split("\n"))].sort();
}

testDocker(
  "docker commits an image, which docker-tag names and docker-save saves",
  async (workspace, { env, plugins, docker }) => {
    await workspace.write("tree/bin/run", "#!/bin/sh\n", { mode: 0o750 });
    await workspace.write("file", "content\n");
    await Deno.chmod(workspace.at("tree/bin/run"), 0o750);
    await Deno.chmod(workspace.at("file"), 0o640);
    const { stdout } = await workspace.builds(
      {
        plugins,
        builders: [{
          ...BASE,
          commit: true,
          author: "somebody",
          changes: ["ENV A=1", "EXPOSE 80"],
        }],
        provisioners: [
          { type: "file", source: "tree", destination: "/new" },
          { type: "file", source: "tree", destination: "/tmp" },
          { type: "file", source: "file", destination: "relative" },
          {
            type: "shell",
            inline: [
              "stat -c '%n %a %U' /new/bin/run /tmp/tree/bin/run /relative",
              "cat /relative > /made",
            ],
          },
          {
            type: "file",
            direction: "download",
            source: "/made",
            destination: "down",
          },
          {
            type: "file",
            direction: "download",
            source: "/new/",
            destination: "downtree/",
          },
        ],
        "post-processors": [[
          {
            type: "docker-tag",
            repository: "localhost/made",
            tags: ["1", "2"],
          },
          { type: "docker-save", path: "out/made.tar" },
          {
            type: "shell-local",
            inline: ["echo published {{build `ImageSha256`}} {{build `ID`}}"],
          },
        ]],
      },
      [],
      { env },
    );
    assertMatch(stdout, /docker: \/new\/bin\/run 750 root\n/);
    assertMatch(stdout, /docker: \/tmp\/tree\/bin\/run 750 root\n/);
    assertMatch(stdout, /docker: \/relative 640 root\n/);
    assertEquals(await workspace.read("down"), "content\n");
    assertEquals(await workspace.read("downtree/bin/run"), "#!/bin/sh\n");
    const [image] = JSON.parse(
      await docker("image", "inspect", "localhost/made:1"),
    );
    assertEquals(image.Author, "somebody");
    assertEquals(Object.keys(image.Config.ExposedPorts), ["80/tcp"]);
    assert(image.Config.Env.includes("A=1"));
    // The shell that provisioned it is not what it runs.
    assert(!JSON.stringify(image.Config).includes("/bin/sh"), image.Config);
    assertMatch(stdout, new RegExp(`published ${image.Id} [0-9a-f]{64}\n`));
    assertMatch(
      stdout,
      new RegExp(
        `--> docker: Imported Docker image: (sha256:)?${image.Id}\n` +
          `--> docker: Imported Docker image: localhost/made:2 with tags localhost/made:1 localhost/made:2\n`,
      ),
    );
    await docker("rmi", "-f", image.Id);
    await docker("load", "-i", workspace.at("out/made.tar"));
    assertEquals(
      await docker("run", "--rm", "localhost/made:2", "cat", "/made"),
      "content",
    );
  },
);

testDocker(
  "docker exports a container, which docker-import makes an image of",
  async (workspace, bench) => {
    const { env, plugins, docker } = bench;
    const { stdout } = await workspace.builds(
      {
        plugins,
        builders: [{ ...BASE, export_path: "out/container.tar" }],
        provisioners: [{ type: "shell", inline: ["echo made > /made"] }],
        "post-processors": [[
          {
            type: "docker-import",
            repository: "localhost/imported",
            tag: "3",
            changes: ['CMD ["cat", "/made"]'],
          },
          { type: "docker-tag", repository: "localhost/other" },
        ]],
      },
      [],
      { env },
    );
    assertMatch(
      stdout,
      /--> docker: Imported Docker image: localhost\/imported:3\n--> docker: Imported Docker image: localhost\/other\n/,
    );
    assertEquals(await docker("run", "--rm", "localhost/other"), "made");
    // What was imported is not kept, as in Packer.
    await assertRejects(
      () => Deno.stat(workspace.at("out/container.tar")),
      Deno.errors.NotFound,
    );

    const before = await images(bench);
    const kept = await workspace.builds(
      {
        plugins,
        builders: [{ ...BASE, export_path: "kept.tar" }],
      },
      [],
      { env },
    );
    assertMatch(kept.stdout, /--> docker: Exported Docker file: kept\.tar\n/);
    assert((await Deno.stat(workspace.at("kept.tar"))).size > 100_000);
    assertEquals(await images(bench), before);
  },
);

testDocker(
  "docker gives uploads to the container's user, and runs commands as exec_user",
  async (workspace, { env, plugins, docker }) => {
    await workspace.write(
      "image/Dockerfile",
      "FROM localhost/base\nUSER app\n",
    );
    await workspace.write("tree/one", "1");
    await docker("build", "-t", "localhost/user", workspace.at("image"));
    const provisioners = [
      { type: "file", source: "tree", destination: "/tmp" },
      { type: "file", source: "tree/one", destination: "/tmp/two" },
      {
        type: "shell",
        inline: [
          "echo user $(id -u)",
          "stat -c '%n %u' /tmp/tree/one /tmp/two /tmp",
        ],
      },
    ];
    const image = { image: "localhost/user", discard: true };
    const { stdout } = await workspace.builds(
      {
        plugins,
        builders: [
          { ...BASE, ...image, name: "own" },
          { ...BASE, ...image, name: "root", exec_user: "root" },
          {
            ...BASE,
            ...image,
            name: "kept",
            fix_upload_owner: false,
            exec_user: "root",
          },
        ],
        provisioners,
      },
      ["-parallel-builds=1"],
      { env },
    );
    for (
      const [name, user, owner] of [
        ["own", 1000, 1000],
        ["root", 0, 1000],
        ["kept", 0, 0],
      ] as const
    ) {
      for (
        const line of [
          `user ${user}`,
          `/tmp/tree/one ${owner}`,
          `/tmp/two ${owner}`,
          "/tmp 0",
        ]
      ) assert(stdout.includes(`    ${name}: ${line}\n`), `${name}: ${line}`);
    }
    assertMatch(stdout, /--> own: Exported Docker file: \n/);
  },
);

testDocker(
  "docker builds its image from a Dockerfile, with arguments",
  async (workspace, bench) => {
    const { env, plugins } = bench;
    await workspace.write(
      "context/file.docker",
      "FROM localhost/base\nARG WHAT\nCOPY here /here\nRUN echo $WHAT > /what\n",
    );
    await workspace.write("context/here", "here");
    const before = await images(bench);
    const { stdout } = await workspace.builds(
      {
        plugins,
        builders: [{
          type: "docker",
          build: {
            path: "context/file.docker",
            build_dir: "context",
            arguments: { WHAT: "argument of {{build_name}}" },
            pull: false,
          },
          discard: true,
        }],
        provisioners: [{ type: "shell", inline: ["cat /what /here"] }],
      },
      [],
      { env },
    );
    assertMatch(stdout, /docker: argument of docker\n/);
    assertMatch(stdout, /docker: here\n/);
    assertEquals(await images(bench), before);
  },
);

testDocker(
  "docker leaves no container and no image of a build that failed",
  async (workspace, bench) => {
    const { env, plugins } = bench;
    const before = await images(bench);
    const build = async (template: Record<string, unknown>) => {
      await workspace.write("template.json", { plugins, ...template });
      const ended = await workspace.baler(["build", "template.json"], { env });
      assertEquals(ended.code, 1, ended.output);
      assertEquals(await images(bench), before);
      return ended.output;
    };
    assertMatch(
      await build({
        builders: [{ ...BASE, commit: true }],
        provisioners: [{ type: "shell", inline: ["exit 7"] }],
      }),
      /Script exited with non-zero exit status: 7/,
    );
    assertMatch(
      await build({
        builders: [{ ...BASE, commit: true, changes: ["NONSENSE 1"] }],
      }),
      /docker commit exited with 125: .*NONSENSE/,
    );
    assertMatch(
      await build({
        builders: [{ ...BASE, image: "localhost/none", discard: true }],
      }),
      /Error running container: docker run exited with 125: .*localhost\/none/s,
    );
    assertMatch(
      await build({
        builders: [{
          ...BASE,
          discard: true,
          run_command: ["-d", "{{.Image}}", "sh", "-c", "exit 0"],
        }],
      }),
      /the container has ended already; run_command must run it in the background/,
    );
    assertMatch(
      await build({
        builders: [{ ...BASE, docker_path: "no-such-program", discard: true }],
      }),
      /cannot start no-such-program: .*; install docker or podman, or set docker_path/s,
    );
  },
);

testDocker(
  "docker neither uses nor removes a container of the name in run_command",
  async (workspace, { env, plugins, docker }) => {
    const builder = {
      ...BASE,
      discard: true,
      run_command: ["-d", "-i", "--name", "mine", "{{.Image}}", "sh"],
    };
    await docker("run", "-d", "-i", "--name", "mine", "localhost/base", "sh");
    await workspace.write("template.json", { plugins, builders: [builder] });
    const failed = await workspace.baler(["build", "template.json"], { env });
    assertMatch(failed.output, /there is a container mine already/);
    await docker("exec", "mine", "true").catch(() =>
      docker("exec", "mine", "echo", "it runs")
    );
    await docker("kill", "mine");
    await docker("rm", "-f", "mine");
    await workspace.succeeds(["build", "template.json"], { env });
  },
);

for (
  const { victim, promise } of [
    { victim: "Ctrl-C", promise: "is left after Ctrl-C in a provisioner" },
    { victim: "plugin", promise: "is left when the plugin is killed" },
    { victim: "host", promise: "is left when the host is killed" },
  ] as const
) {
  testDocker(
    `docker: no container and no temporary directory ${promise}`,
    async (workspace, { env, plugins, docker }) => {
      await workspace.write("template.json", {
        plugins,
        builders: [{ ...BASE, commit: true }],
        provisioners: [{
          type: "shell",
          inline: ["echo waiting", "sleep 600 & setsid sleep 600"],
        }],
      });
      const run = workspace.start(["build", "template.json"], { env });
      await run.shows("docker: waiting");
      if (victim === "Ctrl-C") run.kill("SIGINT");
      else if (victim === "host") run.kill("SIGKILL");
      else {
        const [pid] = await processesWith(
          workspace.kind === "compiled"
            ? `${env.BALER_PLUGIN_PATH}/baler-builder-docker`
            : plugins.builders!.docker!.at(-1)!,
        );
        Deno.kill(pid!, "SIGKILL");
      }
      const ended = await run.ended();
      if (victim === "Ctrl-C") assertEquals(ended.code, 130, ended.output);
      // Whoever removes the container outlives a host that was killed.
      while (await docker("ps", "-aq") !== "") {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  );
}

testDocker(
  "docker removes the image of a commit during which Ctrl-C came",
  async (workspace, bench) => {
    const { env, plugins } = bench;
    const before = await images(bench);
    // A docker whose commit ends when the test lets it.
    const docker = workspace.at("podman/bin/docker");
    await Deno.rename(docker, `${docker}-itself`);
    await workspace.write(
      "podman/bin/docker",
      `#!/bin/sh
[ "$1" = commit ] || exec ${docker}-itself "$@"
${docker}-itself "$@" || exit
: > ${workspace.at("committed")}
until [ -e ${workspace.at("go")} ]; do sleep 0.05; done
`,
      { mode: 0o755 },
    );
    await workspace.write("template.json", {
      plugins,
      builders: [{ ...BASE, commit: true }],
    });
    const run = workspace.start(["build", "template.json"], { env });
    await run.shows("Committing the container");
    while (!await Deno.stat(workspace.at("committed")).catch(() => undefined)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    run.kill("SIGINT");
    await run.shows("Cancelling the builds");
    await workspace.write("go", "");
    const ended = await run.ended();
    assertEquals(ended.code, 130, ended.output);
    assertEquals(await images(bench), before);
  },
);
