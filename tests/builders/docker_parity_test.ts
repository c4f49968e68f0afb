// The docker builder beside Packer 1.6.6's: the commands that a recording docker gets, the artifacts, the refusals.

import { assert, assertEquals } from "@std/assert";
import { forEachHost, type Workspace } from "../support/harness.ts";
import { dockerBench, missingPodman } from "../support/podman.ts";
import { debianPacker } from "../peers/peers.ts";

const CONTAINER = "c".repeat(64);
const IMAGE = `sha256:${"1".repeat(64)}`;

/** A docker that records its arguments, one line a command, and answers as Docker 20.10 would. */
const STAND_IN = `#!/bin/sh
line=
for word; do line="$line[$word] "; done
printf '%s\\n' "$line" | tr '\\n' '~' >> "$RECORD"
echo >> "$RECORD"
case $1 in
  -v) echo "Docker version 20.10.5, build 55c4c88" ;;
  run) echo ${CONTAINER} ;;
  commit) echo ${IMAGE} ;;
  import) cat > /dev/null; echo ${IMAGE} ;;
  login) printf 'stdin %s\\n' "$(cat)" >> "$RECORD" ;;
  cp|exec) cat > /dev/null ;;
  export|save) echo content ;;
  image) echo '[{"Id": "${IMAGE}", "Config": {"Cmd": ["run", "it"]}}]' ;;
  container) echo "true " ;;
  inspect)
    case $3 in
      *User*) ;;
      *) echo ${IMAGE} ;;
    esac ;;
esac
`;

const packer = await debianPacker();

/** Builders and post-processors; each is built by both. */
const BUILDS: readonly {
  name: string;
  builder: Record<string, unknown>;
  postProcessors?: Record<string, unknown>[];
}[] = [
  { name: "discard", builder: { discard: true } },
  { name: "no pull", builder: { discard: true, pull: false } },
  { name: "commit", builder: { commit: true } },
  {
    name: "commit with changes",
    builder: {
      commit: true,
      author: "some body",
      message: "what it is",
      changes: ["ENV A=1", 'CMD ["a", "b"]', "ENTRYPOINT /x"],
    },
  },
  { name: "export", builder: { export_path: "out/x.tar" } },
  {
    name: "everything of run",
    builder: {
      discard: true,
      privileged: true,
      cap_add: ["NET_ADMIN", "SYS_TIME"],
      cap_drop: ["MKNOD"],
      device: ["/dev/null", "/dev/zero:/dev/nil"],
      tmpfs: ["/run", "/scratch:size=1m"],
      volumes: { "/srv": "/data" },
      container_dir: "/mnt/files",
    },
  },
  {
    name: "run_command",
    builder: {
      discard: true,
      run_command: ["-d", "-i", "-e", "B={{build_name}}", "{{.Image}}", "sh"],
    },
  },
  {
    name: "login",
    builder: {
      discard: true,
      login: true,
      login_server: "registry.example:5000",
      login_username: "me",
      login_password: "a secret",
    },
  },
  { name: "login without a server", builder: { discard: true, login: true } },
  {
    name: "tag and save",
    builder: { commit: true },
    postProcessors: [
      { type: "docker-tag", repository: "r.example/a", tags: ["1", "2"] },
      { type: "docker-save", path: "saved.tar" },
    ],
  },
  {
    name: "tag without tags, push with a login",
    builder: { commit: true },
    postProcessors: [
      { type: "docker-tag", repository: "r.example/a", force: true },
      {
        type: "docker-push",
        login: true,
        login_username: "me",
        login_password: "a secret",
      },
    ],
  },
  {
    name: "import, tag and push",
    builder: { export_path: "x.tar" },
    postProcessors: [
      {
        type: "docker-import",
        repository: "r.example/b",
        tag: "3",
        changes: ["EXPOSE 80"],
      },
      { type: "docker-tag", repository: "r.example/c", tag: "4,5" },
      { type: "docker-push" },
    ],
  },
  {
    name: "import of a committed image",
    builder: { commit: true },
    postProcessors: [{ type: "docker-import", repository: "r.example/b" }],
  },
  {
    name: "tag of an exported container",
    builder: { export_path: "x.tar" },
    postProcessors: [{ type: "docker-tag", repository: "r.example/b" }],
  },
];

/** What one of the two did. */
interface Outcome {
  commands: string[];
  artifacts: string[];
  code: number;
}

async function outcome(
  workspace: Workspace,
  run: () => Promise<{ code: number; stdout: string }>,
): Promise<Outcome> {
  await workspace.write("record", "");
  const { code, stdout } = await run();
  const commands = (await workspace.read("record")).split("\n")
    .map((line) => line.replace(/~?\s*$/, ""))
    .filter((line) => line !== "");
  const artifacts = stdout.split("\n").filter((line) => /^--> /.test(line))
    // The words of errors differ.
    .filter(() => code === 0);
  return { commands, artifacts, code };
}

/** The commands that decide what is made, in the words that both have. */
function essential(commands: readonly string[]): string[] {
  const names = new Set(
    commands.flatMap((line) =>
      /^\[run\] \[--name\] \[(\S+)\]/.exec(line)?.[1] ?? []
    ),
  );
  return commands
    // What only looks, and how files are copied.
    .filter((line) => !/^\[(-v|inspect|image|container|cp|exec)\]/.test(line))
    .map((line) => {
      for (const name of names) {
        line = line.replaceAll(`[${name}]`, `[${CONTAINER}]`);
      }
      return line
        // The container has a name, so that it is removed whatever happens.
        .replace(/^(\[run\] )\[--name\] \[\S+\] /, "$1")
        // Its anonymous volumes are removed with it.
        .replace(/^\[rm\] \[-f\] \[-v\]/, "[rm]")
        .replace(/\[[^\]]*\/(tmp\d+|baler-docker-[^:/]*):/, "[TEMPORARY:")
        // The shell that provisioned the image does not stay its command.
        .replace(
          / \[--change\] \[CMD \["run","it"\]\] \[--change\] \[ENTRYPOINT \[""\]\]/,
          "",
        );
    });
}

forEachHost(
  "the docker builder and its post-processors run the commands that Packer's run",
  async (workspace) => {
    const { env, plugins } = await dockerBench(workspace);
    await workspace.write("stand-in/docker", STAND_IN, { mode: 0o755 });
    const variables = {
      ...env,
      PATH: `${workspace.at("stand-in")}:${env.PATH}`,
      RECORD: workspace.at("record"),
    };
    for (const { name, builder, postProcessors = [] } of BUILDS) {
      const template = {
        builders: [{ type: "docker", image: "some/image:1", ...builder }],
        "post-processors": [postProcessors],
      };
      await workspace.write("theirs.json", template);
      await workspace.write("ours.json", { plugins, ...template });
      const theirs = await outcome(workspace, async () => {
        const { code, stdout } = await new Deno.Command(packer.path!, {
          args: ["build", "-color=false", "theirs.json"],
          cwd: workspace.path,
          env: { ...workspace.env, ...variables, CHECKPOINT_DISABLE: "1" },
          clearEnv: true,
        }).output();
        return { code, stdout: new TextDecoder().decode(stdout) };
      });
      const ours = await outcome(
        workspace,
        () => workspace.baler(["build", "ours.json"], { env: variables }),
      );
      assertEquals(ours.code, theirs.code, name);
      assertEquals(ours.artifacts, theirs.artifacts, name);
      const pushes = new Set<string>();
      assertEquals(
        essential(ours.commands),
        // Packer pushes the last tag twice.
        essential(theirs.commands).filter((line) =>
          !line.startsWith("[push]") || !pushes.has(line) && pushes.add(line)
        ),
        name,
      );
      assert(theirs.commands.length > 0, name);
    }
  },
  { ignore: packer.missing ?? missingPodman, limitMs: 400_000 },
);

const REFUSED: readonly Record<string, unknown>[] = [
  { discard: true, image: "" },
  {},
  { commit: true, discard: true },
  { commit: true, export_path: "x.tar" },
  { discard: true, export_path: "x.tar" },
  { export_path: "." },
  { discard: true, ecr_login: true },
  { discard: true, communicator: "nonsense" },
  { discard: true, communicator: "ssh" },
  { discard: true, volumes: "/srv" },
  { discard: true, no_such_key: 1 },
  { discard: "perhaps" },
];

const ACCEPTED: readonly Record<string, unknown>[] = [
  { discard: "true" },
  { discard: true, communicator: "none" },
  {
    discard: true,
    communicator: "ssh",
    ssh_username: "root",
    ssh_password: "x",
  },
  { discard: true, cap_add: "NET_ADMIN" },
  { discard: true, pty: true },
  { export_path: "no/such/directory/x.tar" },
];

forEachHost(
  "the docker builder refuses what Packer's refuses, and nothing else",
  async (workspace) => {
    const { env, plugins } = await dockerBench(workspace);
    for (
      const [configs, code] of [[REFUSED, 1], [ACCEPTED, 0]] as const
    ) {
      for (const config of configs) {
        const template = {
          builders: [{ type: "docker", image: "x", ...config }],
        };
        await workspace.write("theirs.json", template);
        await workspace.write("ours.json", { plugins, ...template });
        const theirs = await new Deno.Command(packer.path!, {
          args: ["validate", "theirs.json"],
          cwd: workspace.path,
          env: { ...workspace.env, ...env, CHECKPOINT_DISABLE: "1" },
          clearEnv: true,
        }).output();
        assertEquals(theirs.code, code, JSON.stringify(config));
        const ours = await workspace.baler(["validate", "ours.json"], { env });
        assertEquals(ours.code, code, JSON.stringify(config) + ours.output);
      }
    }
  },
  { ignore: packer.missing ?? missingPodman, limitMs: 300_000 },
);
