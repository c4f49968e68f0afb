// Trees in namespaces: what archives may and may not do to them, and that they are packed as they were unpacked.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { readStream, writeStream } from "../../plugin/process/byte_streams.ts";
import { Tree } from "../../plugin/builder/namespaces/tree.ts";
import { UserNamespace } from "../../plugin/builder/namespaces/user_namespace.ts";
import {
  readTar,
  type TarEntry,
} from "../../plugin/builder/trees/tar_reader.ts";
import {
  tarEnd,
  tarHeader,
  tarPadding,
} from "../../plugin/builder/trees/tar_writer.ts";
import { noNamespaces } from "../support/root_file_system.ts";
import { skippable } from "../support/programs.ts";
import { run } from "../support/sshd.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

type Entry = Partial<TarEntry> & { name: string; content?: string };

/** An archive with these entries, whatever their names. */
function archive(...entries: Entry[]): AsyncIterable<Uint8Array> {
  return (async function* () {
    for (const { content = "", ...entry } of entries) {
      const bytes = new TextEncoder().encode(content);
      yield await Promise.resolve(tarHeader({
        ...{ type: "file", mode: 0o644, uid: 0, gid: 0, mtime: 1_600_000_000 },
        ...{ target: "", major: 0, minor: 0, attributes: new Map() },
        size: bytes.length,
        ...entry,
      }));
      yield bytes;
      yield tarPadding(bytes.length);
    }
    yield tarEnd();
  })();
}

interface Bench {
  /** A directory of this machine beside the tree's. */
  readonly outside: string;
  unpack(
    archives: AsyncIterable<Uint8Array>[],
    options?: {
      hasWhiteouts?: boolean;
      maxBytes?: number;
      maxEntries?: number;
    },
  ): Promise<Tree>;
  pack(tree: Tree, isDifference?: boolean): Promise<string>;
  /** What is in an archive, by name. */
  list(path: string): Promise<Map<string, TarEntry & { text: string }>>;
}

function testTree(name: string, fn: (bench: Bench) => Promise<void>): void {
  Deno.test({
    ...skippable(name, noNamespaces),
    async fn() {
      await using outside = await TemporaryDirectory.make();
      const directory = join(
        await Deno.realPath(Deno.env.get("TMPDIR") ?? "/tmp"),
        `baler-tree-${crypto.randomUUID()}`,
      );
      await using namespace = await UserNamespace.create({
        directories: [directory],
      });
      await Deno.mkdir(directory);
      const { signal } = new AbortController();
      let count = 0;
      await fn({
        outside: outside.path,
        unpack: (archives, options) =>
          Tree.unpack(
            (async function* () {
              yield* await Promise.resolve(archives);
            })(),
            {
              ...{ namespace, signal, hasWhiteouts: false },
              ...{ maxBytes: 1e9, maxEntries: 1e6, ...options },
              root: join(directory, `root${count++}`),
            },
          ),
        async pack(tree, isDifference = false) {
          const path = join(outside.path, `${count++}.tar`);
          const maxTime = 1_700_000_000;
          await writeStream(path, tree.pack({ isDifference, maxTime, signal }));
          return path;
        },
        async list(path) {
          const found = new Map<string, TarEntry & { text: string }>();
          for await (const { content, ...entry } of readTar(readStream(path))) {
            let text = "";
            for await (const chunk of content) {
              text += new TextDecoder().decode(chunk);
            }
            found.set(entry.name, { ...entry, text });
          }
          return found;
        },
      });
      await namespace[Symbol.asyncDispose]();
      await assertRejects(() => Deno.lstat(directory), Deno.errors.NotFound);
    },
  });
}

testTree("an archive cannot write outside of its tree", async (bench) => {
  const target = join(bench.outside, "file");
  const depth = "../".repeat(12);
  const hostile: Record<string, Entry[]> = {
    "a name with ..": [{ name: `${depth}${target.slice(1)}`, content: "x" }],
    "an absolute name": [{ name: target, content: "x" }],
    "a symlink to a directory": [
      { name: "link", type: "symlink", target: bench.outside },
      { name: "link/file", content: "x" },
    ],
    "a relative symlink": [
      { name: "link", type: "symlink", target: depth + bench.outside.slice(1) },
      { name: "link/file", content: "x" },
    ],
    "a symlink in place of a file": [
      { name: "link", type: "symlink", target },
      { name: "link", content: "x" },
    ],
    "a hard link to a file": [
      { name: "link", type: "link", target: join(bench.outside, "there") },
      { name: "link", content: "x" },
    ],
    "a hard link through a symlink": [
      { name: "link", type: "symlink", target: bench.outside },
      { name: "hard", type: "link", target: "link/there" },
      { name: "hard", content: "x" },
    ],
    "a directory in place of a symlink": [
      { name: "link", type: "symlink", target: bench.outside },
      { name: "link", type: "directory", mode: 0o777 },
      { name: "link/file", content: "x" },
    ],
  };
  await Deno.writeTextFile(join(bench.outside, "there"), "untouched");
  for (const [what, entries] of Object.entries(hostile)) {
    // Whether it is refused or stays inside, nothing outside has changed.
    await bench.unpack([archive(...entries)]).catch(() => {});
    const names = [...Deno.readDirSync(bench.outside)].map(({ name }) => name);
    assertEquals(names, ["there"], what);
    assertEquals(
      await Deno.readTextFile(join(bench.outside, "there")),
      "untouched",
      what,
    );
  }
  await assertRejects(
    () => bench.unpack([archive(...hostile["a name with .."]!)]),
    Error,
    "leads out of the root",
  );
});

testTree("what an archive removes is in its tree", async (bench) => {
  await Deno.mkdir(join(bench.outside, "directory"));
  await Deno.writeTextFile(join(bench.outside, "directory/file"), "x");
  await bench.unpack([
    archive({ name: "link", type: "symlink", target: bench.outside }),
    archive(
      { name: "link/.wh.directory" },
      { name: "link/.wh..wh..opq" },
      { name: ".wh.link" },
    ),
  ], { hasWhiteouts: true });
  assertEquals(
    await Deno.readTextFile(join(bench.outside, "directory/file")),
    "x",
  );
});

testTree(
  "an archive is refused that is too large or damaged",
  async (bench) => {
    const refused = (
      archives: AsyncIterable<Uint8Array>[],
      message: string,
      options = {},
    ) => assertRejects(() => bench.unpack(archives, options), Error, message);
    await refused(
      [archive({ name: "a", content: "12345" }, {
        name: "b",
        content: "12345",
      })],
      "more than 9 bytes",
      { maxBytes: 9 },
    );
    await refused(
      [archive({ name: "a" }, { name: "b" }, { name: "c" })],
      "more than 2 entries",
      { maxEntries: 2 },
    );
    // What a header promises counts before a byte of it has come.
    const promise = archive({ name: "a", size: 2 ** 40 });
    await refused([promise], "more than 1000000000 bytes");
    const whole = await new Response(
      ReadableStream.from(archive({ name: "a", content: "x".repeat(5000) })),
    ).bytes();
    const cut = (length: number) =>
      (async function* () {
        yield await Promise.resolve(whole.slice(0, length));
      })();
    await refused([cut(2000)], "ends");
    await refused([cut(100)], "ends");
    const damaged = whole.slice();
    damaged[0]! ^= 1;
    await refused([
      (async function* () {
        yield await Promise.resolve(damaged);
      })(),
    ], "damaged");
    const records = tarHeader({
      ...{ type: "file", name: "x".repeat(300), mode: 0o644, uid: 0, gid: 0 },
      ...{ mtime: 0, size: 0, target: "", major: 0, minor: 0 },
      attributes: new Map([["user.x", new Uint8Array(2 * 1024 * 1024)]]),
    });
    await refused([
      (async function* () {
        yield await Promise.resolve(records);
      })(),
    ], "a header of it has");
  },
);

testTree("a tree is packed as it was unpacked", async (bench) => {
  const long = `${"directory/".repeat(30)}${"n".repeat(120)}`;
  const capability = new Uint8Array([
    ...[1, 0, 0, 2, 0x80, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ]);
  const entries: Entry[] = [
    { name: "", type: "directory", mode: 0o755 },
    { name: "bin", type: "directory", mode: 0o755 },
    {
      name: "bin/ping",
      content: "ping",
      mode: 0o755,
      attributes: new Map([["security.capability", capability]]),
    },
    { name: "bin/su", content: "su", mode: 0o4755 },
    { name: "bin/ünïcode", content: "u", uid: 100, gid: 200, mtime: 5 },
    { name: "etc", type: "directory", mode: 0o2750, uid: 5, gid: 6 },
    { name: "etc/hard", content: "twice", mode: 0o600 },
    { name: "etc/link", type: "symlink", target: "/nowhere", mode: 0o777 },
    { name: "etc/same", type: "link", target: "etc/hard", mode: 0o600 },
    { name: "fifo", type: "fifo", mode: 0o622 },
    { name: long, content: "long" },
    { name: "new", content: "new", mtime: 1_800_000_000 },
  ];
  const tree = await bench.unpack([archive(...entries)]);
  const packed = await bench.list(await bench.pack(tree));
  for (const { content = "", ...entry } of entries) {
    const found = packed.get(entry.name);
    assert(found, `${entry.name} is missing`);
    if (entry.type === "directory") continue;
    assertEquals(found.text, content, entry.name);
    assertEquals(
      { ...found, ...entry, size: 0, mtime: 0 },
      { ...found, size: 0, mtime: 0 },
      entry.name,
    );
    assertEquals(
      found.mtime,
      Math.min(entry.mtime ?? 1_600_000_000, 1_700_000_000),
      entry.name,
    );
  }
  assertEquals(packed.get("etc")!.mode, 0o2750);
  assertEquals([packed.get("etc")!.uid, packed.get("etc")!.gid], [5, 6]);
  const again = await bench.unpack([archive(...entries)]);
  assertEquals(
    await Deno.readFile(await bench.pack(again)),
    await Deno.readFile(await bench.pack(tree)),
  );
});

testTree("layers lie one over the other", async (bench) => {
  const below = () =>
    archive(
      { name: "a", type: "directory", mode: 0o755 },
      { name: "a/1", content: "1" },
      { name: "a/2", content: "2" },
      { name: "b", type: "directory", mode: 0o755 },
      { name: "b/1", content: "1" },
      { name: "c", content: "file" },
      { name: "d", type: "directory", mode: 0o755 },
      { name: "d/1", content: "1" },
    );
  const above = () =>
    archive(
      { name: "a/.wh.1" },
      { name: "b/new", content: "new" },
      // After what it must not remove.
      { name: "b/.wh..wh..opq" },
      { name: "c", type: "directory", mode: 0o700 },
      { name: "c/in", content: "in" },
      { name: "d", content: "now a file" },
    );
  const tree = await bench.unpack([below(), above()], { hasWhiteouts: true });
  const names = [...(await bench.list(await bench.pack(tree))).keys()].sort();
  assertEquals(names, ["", "a", "a/2", "b", "b/new", "c", "c/in", "d"]);
  // In an archive that is no layer, these are files as any other.
  const plain = await bench.unpack([above()]);
  assert((await bench.list(await bench.pack(plain))).has("a/.wh.1"));
  assertEquals((await bench.list(await bench.pack(plain, true))).size, 0);
});

Deno.test({
  ...skippable("archives of GNU tar are read as it lists them", noNamespaces),
  async fn() {
    await using directory = await TemporaryDirectory.make();
    const root = join(directory.path, "root");
    const deep = join(root, "deep/".repeat(25), "directory".repeat(10));
    await Deno.mkdir(deep, { recursive: true });
    await Deno.writeTextFile(join(deep, "f".repeat(150)), "content");
    await Deno.symlink("t".repeat(150), join(root, "link"));
    await Deno.link(
      join(deep, "f".repeat(150)),
      join(root, "hard"),
    );
    await Deno.writeTextFile(join(root, "plain"), "x".repeat(70_000));
    for (const format of ["gnu", "pax", "v7", "ustar"]) {
      const path = join(directory.path, `${format}.tar`);
      const names = format === "gnu" || format === "pax" ? ["."] : ["./plain"];
      await run(
        "tar",
        ...["-cf", path, `--format=${format}`, "--owner=7", "--group=2000000"],
        ...["-C", root, ...names],
      ).catch((error) => {
        // v7 has no room for the number of the group, which tar then says.
        if (format !== "v7") throw error;
      });
      const listed = (await run("tar", "-tf", path)).trimEnd().split("\n")
        .map((name) => name.replace(/^\.\/|\/$/g, ""));
      const read: string[] = [];
      for await (const entry of readTar(readStream(path))) {
        read.push(entry.name);
        assertEquals(entry.uid, 7);
        if (entry.name === "plain") assertEquals(entry.size, 70_000);
        if (entry.name === "link") assertEquals(entry.target, "t".repeat(150));
      }
      assertEquals(
        read,
        listed.map((name) => name === "." ? "" : name),
        format,
      );
    }
  },
});
