// Communicators that can only run commands, with the shell and tools of this
// machine and with those of busybox, with and without tar.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { CommandCommunicator } from "../../plugin/builder/mod.ts";
import { LocalProcess } from "../../plugin/process/local_process.ts";
import type { RemoteCommand } from "../../plugin/contract/communicator.ts";

/** Runs commands in a directory, with the programs of another. */
class ShellCommunicator extends CommandCommunicator {
  commands = 0;
  constructor(readonly root: string, readonly programs?: string) {
    super();
  }
  start({ command, ...streams }: RemoteCommand) {
    this.commands++;
    const { root, programs } = this;
    return new LocalProcess({
      ...streams,
      argv: programs === undefined
        ? ["env", `HOME=${root}`, "sh", "-c", command]
        : [
          "env",
          "-i",
          `HOME=${root}`,
          `PATH=${programs}`,
          "sh",
          "-c",
          command,
        ],
      cwd: root,
    });
  }
}

const busybox = await new Deno.Command("sh", {
  args: ["-c", "command -v busybox"],
}).output().then(({ success }) => success);

/** A directory with busybox's programs, without those that are named. */
async function busyboxPrograms(without: string[] = []): Promise<string> {
  const directory = await Deno.makeTempDir();
  const { stdout } = await new Deno.Command("busybox", { args: ["--list"] })
    .output();
  const path = new TextDecoder().decode(
    (await new Deno.Command("sh", { args: ["-c", "command -v busybox"] })
      .output()).stdout,
  ).trim();
  for (const name of new TextDecoder().decode(stdout).trim().split("\n")) {
    if (!without.includes(name)) {
      await Deno.symlink(path, join(directory, name));
    }
  }
  return directory;
}

function promise(
  name: string,
  body: (communicator: ShellCommunicator, here: string) => Promise<void>,
): void {
  for (
    const [kind, programs] of [
      ["this machine's tools", undefined],
      ["busybox", () => busyboxPrograms()],
      ["busybox without tar", () => busyboxPrograms(["tar"])],
    ] as const
  ) {
    if (kind === "busybox without tar" && /download.*director/.test(name)) {
      continue;
    }
    Deno.test({
      name: `${name} (${kind}${
        programs && !busybox ? "; skipped: there is no busybox" : ""
      })`,
      ignore: programs !== undefined && !busybox,
      async fn() {
        const root = await Deno.makeTempDir();
        const here = await Deno.makeTempDir();
        const directory = await programs?.();
        try {
          await body(new ShellCommunicator(root, directory), here);
        } finally {
          await Deno.remove(root, { recursive: true });
          await Deno.remove(here, { recursive: true });
          if (directory) await Deno.remove(directory, { recursive: true });
        }
      },
    });
  }
}

const bytes = (text: string) =>
  ReadableStream.from([new TextEncoder().encode(text)]);
const mode = async (path: string) => (await Deno.stat(path)).mode! & 0o7777;

promise("upload() writes a file with its mode", async (communicator) => {
  const { root } = communicator;
  await communicator.upload({
    path: "a b'c",
    source: bytes("one"),
    size: 3,
    mode: 0o750,
  });
  assertEquals(await Deno.readTextFile(join(root, "a b'c")), "one");
  assertEquals(await mode(join(root, "a b'c")), 0o750);
  await communicator.upload({ path: "~/-x", source: bytes("two") });
  assertEquals(await Deno.readTextFile(join(root, "-x")), "two");
  await communicator.upload({ path: "-y", source: bytes(""), size: 0 });
  assertEquals(await Deno.readTextFile(join(root, "-y")), "");
});

promise("upload() replaces a file and keeps its mode", async (communicator) => {
  const path = join(communicator.root, "f");
  await Deno.writeTextFile(path, "old", { mode: 0o640 });
  await Deno.chmod(path, 0o640);
  await communicator.upload({ path, source: bytes("new") });
  assertEquals(await Deno.readTextFile(path), "new");
  assertEquals(await mode(path), 0o640);
});

promise(
  "upload() writes through a symlink and a device",
  async (communicator) => {
    const { root } = communicator;
    await Deno.writeTextFile(join(root, "f"), "old");
    await Deno.symlink("f", join(root, "l"));
    await communicator.upload({ path: "l", source: bytes("new"), size: 3 });
    assertEquals(await Deno.readTextFile(join(root, "f")), "new");
    assert((await Deno.lstat(join(root, "l"))).isSymlink);
    await communicator.upload({
      path: "/dev/null",
      source: bytes("x"),
      mode: 0o600,
    });
    assert((await Deno.stat("/dev/null")).isCharDevice);
  },
);

promise(
  "upload() leaves the old file when the source fails",
  async (communicator) => {
    const { root } = communicator;
    await Deno.writeTextFile(join(root, "f"), "old");
    const failing = () =>
      ReadableStream.from(async function* () {
        yield new TextEncoder().encode("half");
        throw new Error("the disk is gone");
      }());
    await assertRejects(
      () => communicator.upload({ path: "f", source: failing() }),
      Error,
      "the disk is gone",
    );
    await assertRejects(
      () => communicator.upload({ path: "f", source: failing(), size: 8 }),
    );
    await assertRejects(
      () => communicator.upload({ path: "f", source: bytes("1234"), size: 8 }),
      Error,
      "received 4 of 8 bytes",
    );
    assertEquals(await Deno.readTextFile(join(root, "f")), "old");
    assertEquals(
      (await Array.fromAsync(Deno.readDir(root))).map(({ name }) => name),
      ["f"],
    );
  },
);

promise(
  "upload() leaves nothing behind when it is aborted",
  async (communicator) => {
    const { root } = communicator;
    for (const size of [undefined, 100]) {
      const abort = new AbortController();
      const source = new ReadableStream<Uint8Array>({
        start: (controller) =>
          controller.enqueue(new TextEncoder().encode("half")),
        pull() {
          abort.abort(new Error("given up"));
          return new Promise(() => {});
        },
      });
      await assertRejects(
        () =>
          communicator.upload({
            path: "f",
            source,
            signal: abort.signal,
            ...(size === undefined ? {} : { size }),
          }),
        Error,
        "given up",
      );
    }
    assertEquals(await Array.fromAsync(Deno.readDir(root)), []);
  },
);

promise("upload() says why it failed", async (communicator) => {
  await assertRejects(
    () =>
      communicator.upload({ path: "no/such/f", source: bytes("x"), size: 1 }),
    Error,
    "cannot upload no/such/f: ",
  );
  const error = await assertRejects(
    () => communicator.upload({ path: communicator.root, source: bytes("x") }),
    Error,
  );
  assertMatch(error.message, /is a directory/);
});

promise("download() reads a file", async (communicator) => {
  await Deno.writeTextFile(join(communicator.root, "f"), "content");
  const chunks: BlobPart[] = [];
  let isClosed = false;
  await communicator.download({
    path: "f",
    destination: new WritableStream({
      write: (chunk) => void chunks.push(chunk.slice() as BlobPart),
      close: () => void (isClosed = true),
    }),
  });
  assertEquals(await new Blob(chunks).text(), "content");
  assert(isClosed);
});

promise(
  "download() aborts its destination when it fails",
  async (communicator) => {
    let reason: unknown;
    await assertRejects(
      () =>
        communicator.download({
          path: "absent",
          destination: new WritableStream({
            abort: (why) => void (reason = why),
          }),
        }),
      Error,
      "cannot download absent: ",
    );
    assert(reason instanceof Error);
  },
);

async function makeTree(root: string): Promise<void> {
  await Deno.mkdir(join(root, "d/sub dir/deep"), { recursive: true });
  await Deno.writeTextFile(join(root, "d/a"), "a");
  await Deno.writeTextFile(join(root, "d/sub dir/b'"), "b");
  await Deno.writeTextFile(join(root, "d/ü"), "u");
  await Deno.chmod(join(root, "d/a"), 0o754);
  await Deno.symlink("../a", join(root, "d/sub dir/l"));
  await Deno.chmod(join(root, "d/sub dir/deep"), 0o500);
}

async function describeTree(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  async function walk(path: string, name: string): Promise<void> {
    for await (const entry of Deno.readDir(path)) {
      const child = join(path, entry.name);
      const label = `${name}${entry.name}`;
      if (entry.isSymlink) found[label] = `-> ${await Deno.readLink(child)}`;
      else if (entry.isDirectory) {
        found[`${label}/`] = (await mode(child)).toString(8);
        await walk(child, `${label}/`);
      } else {
        found[label] = `${(await mode(child)).toString(8)} ${await Deno
          .readTextFile(child)}`;
      }
    }
  }
  await walk(root, "");
  return found;
}

promise(
  "uploadDir() copies a directory, or its content",
  async (communicator, here) => {
    const { root } = communicator;
    await makeTree(here);
    const expected = await describeTree(here);
    await communicator.uploadDir({
      source: join(here, "d"),
      destination: "new/place",
    });
    assertEquals(await describeTree(join(root, "new/place")), expected);
    await communicator.uploadDir({
      source: join(here, "d") + "/",
      destination: join(root, "content"),
    });
    assertEquals(
      await describeTree(join(root, "content")),
      await describeTree(join(here, "d")),
    );
    await communicator.uploadDir({
      source: join(here, "d") + "/",
      destination: "some",
      exclude: ["sub dir", "ü"],
    });
    assertEquals(Object.keys(await describeTree(join(root, "some"))), ["a"]);
  },
);

promise(
  "downloadDir() copies a directory, its content, or what a pattern matches",
  async (communicator, here) => {
    const { root } = communicator;
    await makeTree(root);
    const expected = await describeTree(root);
    await communicator.downloadDir({
      source: "d",
      destination: join(here, "one"),
    });
    assertEquals(await describeTree(join(here, "one")), expected);
    await communicator.downloadDir({
      source: `${root}/d/`,
      destination: join(here, "two"),
    });
    assertEquals(
      await describeTree(join(here, "two")),
      await describeTree(join(root, "d")),
    );
    await communicator.downloadDir({
      source: `${root}/d/[as]*`,
      destination: join(here, "three"),
      exclude: [],
    });
    assertEquals(
      Object.keys(await describeTree(join(here, "three"))).sort(),
      ["a", "sub dir/", "sub dir/b'", "sub dir/deep/", "sub dir/l"].sort(),
    );
    const error = await assertRejects(
      () => communicator.downloadDir({ source: "no*", destination: here }),
      Error,
    );
    assertMatch(error.message, /nothing matches no\*/);
    await assertRejects(
      () => communicator.downloadDir({ source: "absent", destination: here }),
      Error,
      "there is no directory absent",
    );
  },
);

Deno.test("downloadDir() writes nothing outside its destination", async () => {
  const here = await Deno.makeTempDir();
  const { create } = await import("tar");
  try {
    await Deno.mkdir(join(here, "outside"), { mode: 0o700 });
    await Deno.mkdir(join(here, "archives"));
    await Deno.writeTextFile(join(here, "archives/f"), "f");
    await Deno.mkdir(join(here, "archives/outside"), { mode: 0o777 });
    await Deno.chmod(join(here, "archives/outside"), 0o777);
    await create({
      cwd: join(here, "archives"),
      file: join(here, "evil.tar"),
      preservePaths: true,
      onWriteEntry: (entry) => {
        entry.path = `../${entry.path}`;
      },
    }, ["f", "outside"]);
    class Evil extends CommandCommunicator {
      start({ command: _, ...streams }: RemoteCommand) {
        return new LocalProcess({
          ...streams,
          argv: ["cat", join(here, "evil.tar")],
        });
      }
    }
    await assertRejects(
      () =>
        new Evil().downloadDir({ source: "d", destination: join(here, "in") }),
      Error,
      "cannot download all of d",
    );
    assertEquals(await Array.fromAsync(Deno.readDir(join(here, "in"))), []);
    assertEquals(await mode(join(here, "outside")), 0o700);
    await assertRejects(() => Deno.stat(join(here, "f")), Deno.errors.NotFound);
  } finally {
    await Deno.remove(here, { recursive: true });
  }
});
