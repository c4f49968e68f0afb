// A machine in namespaces: commands, files, and its end.

import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { decompress } from "../../plugin/builder/images/compression.ts";
import { readStream } from "../../plugin/process/byte_streams.ts";
import { becomeSubreaper } from "../../plugin/process/system_calls.ts";
import { NamespaceMachine } from "../../plugin/builder/namespaces/machine.ts";
import { Tree } from "../../plugin/builder/namespaces/tree.ts";
import { UserNamespace } from "../../plugin/builder/namespaces/user_namespace.ts";
import { checkCommunicator } from "../../plugin/testing/check_communicator.ts";
import { childrenOf } from "../support/processes.ts";
import { skippable } from "../support/programs.ts";
import { noNamespaces, writeRootArchive } from "../support/root_file_system.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { within } from "../support/within.ts";

function testMachine(
  name: string,
  fn: (machine: NamespaceMachine, directory: string) => Promise<void>,
): void {
  Deno.test({
    ...skippable(name, noNamespaces),
    async fn() {
      await using directory = await TemporaryDirectory.make();
      const path = join(directory.path, "source.tar");
      await writeRootArchive(path);
      const scratch = join(await Deno.realPath(directory.path), "scratch");
      await using namespace = await UserNamespace.create({
        directories: [scratch],
      });
      const { signal } = new AbortController();
      const tree = await Tree.unpack(
        (async function* () {
          yield await Promise.resolve(decompress(readStream(path)));
        })(),
        {
          ...{ namespace, signal, hasWhiteouts: false, root: scratch },
          ...{ maxBytes: 1e9, maxEntries: 1e6 },
        },
      );
      await using machine = await NamespaceMachine.start({
        ...{ namespace, signal, hasOwnNetwork: false },
        mounts: {
          ...{ root: tree.root, hostname: "machine" },
          ...{ tmpfs: ["/tmp"], volumes: [] },
        },
        environment: { PATH: "/bin", HOME: "/root" },
      });
      await fn(machine, directory.path);
    },
  });
}

/** Collects a stream as text. */
function collector(): { writable: WritableStream<Uint8Array>; text(): string } {
  let text = "";
  return {
    writable: new WritableStream({
      write: (chunk) => void (text += new TextDecoder().decode(chunk)),
    }),
    text: () => text,
  };
}

testMachine("a machine runs commands as its root", async (machine) => {
  const [stdout, stderr] = [collector(), collector()];
  const running = machine.start({
    command: 'id -u; cat; echo "error" >&2; exit 7',
    stdin: ReadableStream.from([new TextEncoder().encode("input")]),
    ...{ stdout: stdout.writable, stderr: stderr.writable },
  });
  assertEquals(await running.wait(), 7);
  assertEquals(stdout.text(), "0\ninput");
  assertEquals(stderr.text(), "error\n");
});

testMachine("a machine keeps what communicators promise", async (machine) => {
  await machine.start({ command: "mkdir /srv/check" }).wait();
  await checkCommunicator({
    ...{ communicator: machine, directory: "/srv/check" },
    hasExclusive: true,
  });
});

testMachine("directories are copied to a machine and back", async (
  machine,
  directory,
) => {
  const source = join(directory, "source");
  await Deno.mkdir(join(source, "sub"), { recursive: true });
  await Deno.writeTextFile(join(source, "sub/file"), "content");
  await Deno.chmod(join(source, "sub/file"), 0o751);
  await Deno.symlink("sub/file", join(source, "link"));
  await machine.uploadDir({ source: `${source}/`, destination: "/srv/copy" });
  const stdout = collector();
  await machine.start({
    command: "stat -c '%a %u' /srv/copy/sub/file; cat /srv/copy/link",
    stdout: stdout.writable,
  }).wait();
  assertEquals(stdout.text(), "751 0\ncontent");
  const back = join(directory, "back");
  await machine.downloadDir({ source: "/srv/copy/", destination: back });
  assertEquals(await Deno.readTextFile(join(back, "link")), "content");
});

testMachine("a machine ends although a command's parent was killed", async (
  machine,
) => {
  // As the host is: whoever adopts a process has to take its exit status.
  becomeSubreaper();
  const stdout = collector();
  const isUp = Promise.withResolvers<void>();
  const running = machine.start({
    command: "echo up; exec sleep 100000",
    stdout: new WritableStream({ write: () => isUp.resolve() }),
    stderr: stdout.writable,
  });
  await isUp.promise;
  const parent = (await childrenOf(Deno.pid)).find(({ command }) =>
    command.includes("nsenter") && command.includes("sleep 100000")
  );
  assert(parent, "nsenter is not there");
  Deno.kill(parent.pid, "SIGKILL");
  await within(
    "the end of the machine",
    machine[Symbol.asyncDispose](),
    60_000,
  );
  await running.wait();
});
