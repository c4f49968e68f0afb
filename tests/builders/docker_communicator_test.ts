// The communicator of the docker builder, in a container of podman.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { DockerCommunicator } from "../../plugin/builders/docker/docker_communicator.ts";
import { Docker } from "../../plugin/builders/docker/docker_program.ts";
import { checkCommunicator } from "../../plugin/testing/check_communicator.ts";
import { communicatorChecks } from "../../plugin/testing/communicator_checks.ts";
import { Workspace } from "../support/harness.ts";
import { collected } from "../support/component_runner.ts";
import { dockerBench, missingPodman } from "../support/podman.ts";

interface Machine {
  communicator: DockerCommunicator;
  workspace: Workspace;
  docker(...args: string[]): Promise<string>;
}

function inContainer(
  promise: string,
  test: (machine: Machine) => Promise<void>,
  user?: string,
): void {
  Deno.test({
    name: missingPodman ? `${promise} (skipped: ${missingPodman})` : promise,
    ignore: missingPodman !== undefined,
    async fn() {
      const workspace = await Workspace.make("source");
      const { docker, env } = await dockerBench(workspace);
      try {
        await docker(
          "run",
          "-d",
          "-i",
          "-t",
          "--name",
          "machine",
          "--entrypoint=/bin/sh",
          "--",
          "localhost/base",
        );
        await test({
          communicator: new DockerCommunicator({
            docker: new Docker(
              join(workspace.path, "podman/bin/docker"),
              workspace.path,
              { ...workspace.env, PATH: env.PATH! },
            ),
            container: "machine",
            user,
          }),
          workspace,
          docker,
        });
      } finally {
        await docker("kill", "machine").catch(() => {});
        await docker("rm", "-f", "machine");
        await workspace.clear();
      }
    },
  });
}

inContainer(
  "the communicator docker keeps the promises of its interface",
  async ({ communicator }) => {
    await checkCommunicator({
      communicator,
      directory: "/tmp/check",
      timeoutMs: 300_000,
      // A destination that does not exist becomes the copy, as in `docker cp`.
      only: communicatorChecks.map(({ name }) => name).filter((name) =>
        !name.startsWith("uploadDir() copies the directory itself")
      ),
    });
  },
  "app",
);

inContainer(
  "a command in a container has stdin, both outputs and its exit status",
  async ({ communicator }) => {
    const [stdout, stderr] = [collected(), collected()];
    const running = communicator.start({
      command: "cat; echo wrong >&2; exit 7",
      stdin: ReadableStream.from([new TextEncoder().encode("in")]),
      stdout: stdout.stream,
      stderr: stderr.stream,
    });
    assertEquals(await running.wait(), 7);
    assertEquals([stdout.text(), stderr.text()], ["in", "wrong\n"]);
    // Without stdin it reads the end.
    assertEquals(await communicator.start({ command: "cat" }).wait(), 0);
  },
);

inContainer(
  "files of any bytes go into a container and out of it, with their modes",
  async ({ communicator, docker, workspace }) => {
    const bytes = new Uint8Array(5_000_000);
    for (let at = 0; at < bytes.length; at += 65_536) {
      crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    }
    for (const size of [bytes.length, undefined]) {
      await communicator.upload({
        path: "/tmp/a b",
        source: ReadableStream.from([bytes.slice(0, 3), bytes.slice(3)]),
        mode: 0o750,
        ...(size === undefined ? {} : { size }),
      });
      assertEquals(
        await docker("exec", "machine", "stat", "-c", "%a %U", "/tmp/a b"),
        "750 root",
      );
      const chunks: Uint8Array[] = [];
      await communicator.download({
        path: "/tmp/a b",
        destination: new WritableStream({
          write: (chunk) => void chunks.push(chunk.slice()),
        }),
      });
      assertEquals(await new Blob(chunks as BlobPart[]).bytes(), bytes);
    }
    await assertRejects(
      () =>
        communicator.download({
          path: "/none",
          destination: new WritableStream(),
        }),
      Error,
      "cannot download /none",
    );
    await workspace.write("tree/sub/file", "1");
    await communicator.uploadDir({
      source: `${workspace.at("tree")}/`,
      destination: "/tmp",
    });
    await communicator.downloadDir({
      source: "/tmp/sub",
      destination: workspace.at("down"),
    });
    assertEquals(await workspace.read("down/sub/file"), "1");
  },
);

for (const user of [undefined, "app"]) {
  inContainer(
    `an aborted command is ended with all that it started, as ${
      user ?? "root"
    }`,
    async ({ communicator, docker }) => {
      const abort = new AbortController();
      const up = Promise.withResolvers<void>();
      const running = communicator.start({
        // In its session, in another one, without its environment, and one that ignores SIGTERM.
        command: "sleep 601 & setsid sleep 602 & env -i sleep 603 & " +
          "(trap '' TERM; sleep 604; sleep 605) & echo up; sleep 606",
        stdout: new WritableStream({ write: () => up.resolve() }),
        signal: abort.signal,
      });
      await up.promise;
      assert((await docker("exec", "machine", "ps")).includes("sleep 603"));
      abort.abort(new Error("enough"));
      await assertRejects(
        () => Promise.resolve(running.wait()),
        Error,
        "enough",
      );
      const left = await docker("exec", "machine", "ps");
      // Those that nobody has waited for are shown in brackets.
      assert(!/sleep 60|sh -c/.test(left), left);
      // The container goes on.
      assertEquals(await communicator.start({ command: "true" }).wait(), 0);
    },
    user,
  );
}

inContainer(
  "a container that ends while a command runs is an error, not a status",
  async ({ communicator, docker }) => {
    const up = Promise.withResolvers<void>();
    const running = communicator.start({
      command: "echo up; sleep 600",
      stdout: new WritableStream({ write: () => up.resolve() }),
    });
    await up.promise;
    await docker("kill", "machine");
    await assertRejects(
      () => Promise.resolve(running.wait()),
      Error,
      "the container ended while the command ran",
    );
  },
);
