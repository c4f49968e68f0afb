// The bundled post-processors make what Packer's make: the same files, bytes
// and refusals, which other programs accept.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { basename, join } from "@std/path";
import { HANG_LIMIT_MS } from "../support/within.ts";
import Artifice from "../../plugin/bundled/post_processors/artifice.ts";
import Checksum from "../../plugin/bundled/post_processors/checksum.ts";
import Compress from "../../plugin/bundled/post_processors/compress.ts";
import Manifest from "../../plugin/bundled/post_processors/manifest.ts";
import { lz4 } from "../../plugin/bundled/archive/lz4.ts";
import { tar } from "../../plugin/bundled/archive/tar.ts";
import { ConfigError } from "../../plugin/contract/config_error.ts";
import { processed } from "../support/post_processor_program.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { RecordingUi } from "../support/recording_ui.ts";
import { missing, skippable } from "../support/programs.ts";

// The builds of these tests have no run unless they are given one.
Deno.env.delete("PACKER_RUN_UUID");

Deno.test("artifice puts the files that match in the artifact's place", async () => {
  await using dir = await TemporaryDirectory.make({
    "old.txt": "old",
    "dist/b.tar": "b",
    "dist/a.tar": "a",
    "dist/.hidden.tar": "h",
    "dist/notes.md": "n",
    "x/dist/c.tar": "c",
  });
  const ui = new RecordingUi();
  const { artifact, keep, mustKeep } = await processed(new Artifice(), {
    dir: dir.path,
    files: ["old.txt"],
    config: { files: ["./dist/*.tar", "old.txt", "?/d*/[^a-b].tar", "none*"] },
    ui,
  });
  const files =
    "dist/.hidden.tar, dist/a.tar, dist/b.tar, old.txt, x/dist/c.tar";
  assertEquals(artifact.files.join(", "), files);
  assertEquals(artifact.builderId, "packer.post-processor.artifice");
  assertEquals(String(artifact), `Created artifact from files: ${files}`);
  assertEquals(artifact.id, "");
  assertEquals([keep, mustKeep], [true, undefined]);
  assertEquals(ui.lines, [
    "say: Discarding files from artifact: old.txt",
    'error: Warning: "none*" in "files" matches no file.',
    `say: Using these artifact files: ${files}`,
  ]);
  await artifact.destroy();
  await artifact.destroy();
  assertEquals(await filesIn(dir.path), ["dist/notes.md"]);
});

Deno.test("artifice refuses to be without files, and patterns that are none", async () => {
  await using dir = await TemporaryDirectory.make({ "dangling": "" });
  for (const config of [{}, { files: [] }]) {
    await assertRejects(
      () => processed(new Artifice(), { dir: dir.path, config }),
      ConfigError,
      "files",
    );
  }
  for (const pattern of ["[", "[]a]", "[a", "a[-x]", "*\\"]) {
    await assertRejects(
      () =>
        processed(new Artifice(), {
          dir: dir.path,
          config: { files: [pattern] },
        }),
      Error,
      `"${pattern}" is not a valid pattern`,
    );
  }
  await Deno.symlink("nowhere", join(dir.path, "link"));
  await assertRejects(
    () =>
      processed(new Artifice(), { dir: dir.path, config: { files: "li*" } }),
    Error,
    'unable to use link, which "li*" in "files" matches',
  );
});

Deno.test("checksum writes what md5sum -c, sha1sum -c, … and sha512sum -c accept", async () => {
  await using dir = await TemporaryDirectory.make({
    "out/a b.img": "x".repeat(1_000_000),
    "out/empty": "",
  });
  const files = ["out/a b.img", "out/empty"];
  const types = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];
  const { artifact, keep, mustKeep } = await processed(new Checksum(), {
    dir: dir.path,
    files,
    config: {
      checksum_types: types,
      output: "out/{{.BuildName}}.{{.BuilderType}}.{{.ChecksumType}}",
    },
  });
  for (const type of types) {
    const { stdout } = await ran(`${type}sum`, [
      "--strict",
      "-c",
      `vm.null.${type}`,
    ], join(dir.path, "out"));
    assertEquals(stdout, "a b.img: OK\nempty: OK\n");
  }
  assertEquals(artifact.files, [
    ...files,
    ...types.map((type) => `out/vm.null.${type}`),
  ]);
  assertEquals([keep, mustKeep], [true, true]);
});

Deno.test("checksum adds to a file that is there, and does not take it for its own", async () => {
  await using dir = await TemporaryDirectory.make({
    "a": "1",
    "sums": "kept\n",
  });
  const { artifact } = await processed(new Checksum(), {
    dir: dir.path,
    files: ["a"],
    config: { output: "sums" },
  });
  assertEquals(artifact.files, ["a"]);
  assertEquals(
    await dir.read("sums"),
    "kept\nc4ca4238a0b923820dcc509a6f75849b\ta\n",
  );
});

Deno.test("checksum refuses unknown kinds and broken outputs, each with its place", async () => {
  await using dir = await TemporaryDirectory.make();
  const error: ConfigError = await assertRejects(
    () =>
      processed(new Checksum(), {
        dir: dir.path,
        config: {
          checksum_types: ["md5", "sha3", "crc"],
          output: "{{.Bad",
        },
      }),
    ConfigError,
    "Unrecognized checksum type: sha3",
  );
  assertEquals(error.problems.map(({ path }) => path), [
    ["checksum_types", 1],
    ["checksum_types", 2],
    ["output"],
  ]);
});

Deno.test("checksum leaves no file when an input is missing or the build is cancelled", async () => {
  await using dir = await TemporaryDirectory.make({ "a": "1" });
  await Deno.truncate(join(dir.path, "a"), 64 * 1024 * 1024);
  await assertRejects(
    () => processed(new Checksum(), { dir: dir.path, files: ["a", "gone"] }),
    Error,
    "unable to read gone for its checksum",
  );
  const cancelling = new AbortController();
  const ui = new RecordingUi();
  ui.onProgress = () => cancelling.abort(new Error("cancelled"));
  await assertRejects(
    () =>
      processed(new Checksum(), {
        dir: dir.path,
        files: ["a"],
        ui,
        signal: cancelling.signal,
      }),
    Error,
    "cancelled",
  );
  assertEquals(await filesIn(dir.path), ["a"]);
});

for (
  const [output, unpack] of [
    ["plain", ["tar", "xzf"]],
    ["a.v1.2", ["tar", "xzf"]],
    ["a.tgz", ["tar", "xzf"]],
    ["deep/down/a.tar.gz", ["tar", "xzf"]],
    ["a.tar", ["tar", "xf"]],
    ["a.tar.bgzf", ["tar", "xzf"]],
    ["a.zip", ["python3", "-m", "zipfile", "-e"]],
  ] as const
) {
  Deno.test({
    ...skippable(
      `compress makes ${output}, which ${unpack[0]} unpacks`,
      missing(unpack[0]),
    ),
    async fn() {
      const long = `${"long".repeat(40)}.img`;
      const files = {
        "out/run.sh": "echo hi\n",
        [`out/${long}`]: "x".repeat(700_001),
        "out/empty": "",
      };
      await using dir = await TemporaryDirectory.make(files);
      await Deno.chmod(join(dir.path, "out/run.sh"), 0o754);
      const ui = new RecordingUi();
      const { artifact, keep } = await processed(new Compress(), {
        dir: dir.path,
        files: Object.keys(files),
        config: { output },
        ui,
      });
      assertEquals(artifact.files, [output]);
      assertEquals(artifact.builderId, "packer.post-processor.compress");
      assertEquals(String(artifact), `compressed artifacts in: ${output}`);
      assert(!keep);
      assertEquals(ui.lines.at(-1), `say: Archive ${output} completed`);

      const isZip = output.endsWith("zip");
      const into = join(dir.path, "unpacked");
      await Deno.mkdir(into);
      const archive = join(dir.path, output);
      await ran(unpack[0], [
        ...unpack.slice(1),
        archive,
        ...isZip ? [into] : [],
      ], into);
      assertEquals(
        await filesIn(into),
        Object.keys(files).map((file) => isZip ? file : basename(file)).sort(),
      );
      for (const [file, content] of Object.entries(files)) {
        const name = isZip ? file : basename(file);
        assertEquals(await Deno.readTextFile(join(into, name)), content);
      }
      if (isZip) return;
      const { mode } = await Deno.stat(join(into, "run.sh"));
      assertEquals(mode! & 0o777, 0o754);
    },
  });
}

Deno.test("compress packs one file alone into .gz and .bgzf", async () => {
  const content = "some text, ".repeat(200_000);
  for (const output of ["a.gz", "a.bgzf"]) {
    for (const compression_level of [-2, -1, 0, 1, 9, 99]) {
      await using dir = await TemporaryDirectory.make({ "in.txt": content });
      await processed(new Compress(), {
        dir: dir.path,
        files: ["in.txt"],
        config: { output, compression_level },
      });
      const { stdout } = await ran("gzip", [
        "-dc",
        join(dir.path, output),
      ]);
      assertEquals(stdout, content);
      assert((await Deno.stat(join(dir.path, output))).size < 1_500_000);
    }
  }
});

Deno.test("compress takes its format from `format` before the name", async () => {
  await using dir = await TemporaryDirectory.make({ "in.txt": "text" });
  await processed(new Compress(), {
    dir: dir.path,
    files: ["in.txt"],
    config: { output: "a.zip", format: "tar" },
  });
  const { stdout } = await ran("tar", ["tf", join(dir.path, "a.zip")]);
  assertEquals(stdout, "in.txt\n");
});

Deno.test({
  ...skippable(
    "a zip entry's path never leads out of the directory it is unpacked in",
    missing("python3"),
  ),
  async fn() {
    await using dir = await TemporaryDirectory.make({
      "a/in.txt": "text",
      "b/": "",
    });
    await processed(new Compress(), {
      dir: join(dir.path, "b"),
      files: [
        "../a/in.txt",
        join(dir.path, "a/in.txt"),
        "../a/../a/./in.txt",
      ],
      config: { output: "a.zip" },
    });
    const { stdout } = await ran("python3", [
      "-c",
      "import sys, zipfile; [print(i.filename) for i in zipfile.ZipFile(sys.argv[1]).infolist()]",
      join(dir.path, "b/a.zip"),
    ]);
    assertEquals(stdout, `a/in.txt\n${dir.path.slice(1)}/a/in.txt\na/in.txt\n`);
  },
});

Deno.test({
  ...skippable("tar() writes the size of a file of 9 GiB", missing("python3")),
  async fn() {
    const entries = tar([{
      name: "big.img",
      mode: 0o644,
      size: 9 * 2 ** 30,
      uid: 5_000_000,
      gid: 0,
      content: endless(),
    }]);
    const { value: header } = await entries.next();
    await entries.return(undefined);
    await using dir = await TemporaryDirectory.make();
    await Deno.writeFile(join(dir.path, "header"), header!);
    const { stdout } = await ran("python3", [
      "-c",
      "import sys, tarfile; i = tarfile.TarInfo.frombuf(open(sys.argv[1], 'rb').read(), 'utf8', ''); print(i.name, i.size, i.uid)",
      join(dir.path, "header"),
    ]);
    assertEquals(stdout, `big.img ${9 * 2 ** 30} 5000000\n`);
  },
});

Deno.test("tar() refuses a file that changes under its hands", async () => {
  await assertRejects(
    async () => {
      const entries = tar([{
        name: "log",
        mode: 0o644,
        size: 5,
        uid: 0,
        gid: 0,
        content: bytesOf(new Uint8Array(3)),
      }]);
      for await (const _ of entries);
    },
    Error,
    "log has changed while it was archived: 3 bytes instead of 5",
  );
});

Deno.test({
  ...skippable(
    "lz4() makes frames of any content, which lz4 unpacks",
    missing("lz4"),
  ),
  async fn() {
    await using dir = await TemporaryDirectory.make();
    const path = join(dir.path, "x.lz4");
    let seed = 1;
    const random = () => (seed = (seed * 48271) % 0x7fffffff);
    const lengths = [
      ...Array.from({ length: 40 }, (_, length) => length),
      65_535 + 40,
      300_000,
      4 * 1024 * 1024,
      9_000_001,
    ];
    for (const length of lengths) {
      for (const kinds of [1, 3, 256]) {
        const content = new Uint8Array(length).map(() => random() % kinds);
        // What repeats from afar, up to and beyond the longest distance.
        content.copyWithin(length / 2, 0, length / 4);
        const frame = [];
        // The pieces are of another length than the blocks.
        const pieces = async function* () {
          for (let at = 0; at < length; at += 70_001) {
            yield content.subarray(at, at + 70_001);
          }
        };
        for await (const part of lz4(pieces())) frame.push(part);
        await Deno.writeFile(
          path,
          new Uint8Array(await new Blob(frame as BlobPart[]).arrayBuffer()),
        );
        const { bytes } = await ran("lz4", ["-dc", path]);
        assertEquals(bytes.length, length);
        assert(bytes.every((byte, index) => byte === content[index]));
      }
    }
  },
});

Deno.test("compress refuses what it cannot do, before it touches a file", async () => {
  await using dir = await TemporaryDirectory.make({
    "a": "1",
    "b": "2",
    "sub/": "",
  });
  const refused = (
    config: Record<string, unknown>,
    files: string[],
    message: string,
  ) =>
    assertRejects(
      () => processed(new Compress(), { dir: dir.path, files, config }),
      Error,
      message,
    );
  await refused({ output: "a.xz" }, ["a"], "xz archives cannot be written");
  await refused({ format: "tar.xz" }, ["a"], "use .tar, .zip");
  await refused(
    { compression_level: -3 },
    ["a"],
    "Invalid compression level. Expected an integer from -1 to 9",
  );
  await refused({ output: "{{nope}}" }, ["a"], 'invalid "output"');
  await refused(
    { output: "x.gz" },
    ["a", "b"],
    "Can only have 1 input file when not using tar/zip. Found 2 files: [a b]",
  );
  await refused({ output: "x.gz" }, [], "Found 0 files: []");
  await refused({ output: "x.tar" }, ["gone"], "Unable to read file gone");
  await refused({ output: "x.tar" }, ["sub"], "it is not a file");
  await refused({ output: "sub" }, ["a"], "Unable to create archive sub");
  await refused({ output: "a/x" }, ["b"], "Unable to create dir for archive");
  await Deno.link(join(dir.path, "a"), join(dir.path, "same.tar"));
  await refused({ output: "a" }, ["a"], 'choose another "output"');
  await refused({ output: "same.tar" }, ["a"], "would be written over a");
  assertEquals(await filesIn(dir.path), ["a", "b", "same.tar"]);
  assertEquals(await dir.read("a"), "1");
});

for (const output of ["x.tar", "x.tar.gz", "x.zip", "x.bgzf", "x.lz4"]) {
  Deno.test(`compress leaves no half of ${output} when the build is cancelled`, async () => {
    await using dir = await TemporaryDirectory.make({ "a": "1" });
    await Deno.truncate(join(dir.path, "a"), 200 * 1024 * 1024);
    const cancelling = new AbortController();
    const ui = new RecordingUi();
    ui.onProgress = ({ done }) => {
      assert(!done);
      cancelling.abort(new Error("cancelled"));
    };
    await assertRejects(
      () =>
        processed(new Compress(), {
          dir: dir.path,
          files: ["a"],
          config: { output },
          ui,
          signal: cancelling.signal,
        }),
      Error,
      "cancelled",
    );
    assertEquals(await filesIn(dir.path), ["a"]);
  });
}

Deno.test("manifest adds an entry for each build, as Go writes JSON", async () => {
  await using dir = await TemporaryDirectory.make({ "out/a.img": "12345" });
  const before = Math.floor(Date.now() / 1000);
  const { keep, mustKeep } = await processed(new Manifest(), {
    dir: dir.path,
    files: ["out/a.img", "gone"],
    id: "vm-1",
    config: {
      custom_data: {
        z: "<a&b>\b\f\t\u2028\\b",
        a: "{{build `ID`}}-{{build_name}}",
      },
    },
    data: { ID: "i-77" },
  });
  const { artifact } = await processed(new Manifest(), {
    dir: dir.path,
    files: ["out/a.img"],
    config: { strip_path: true, strip_time: "true" },
  });
  const { artifact: third } = await processed(new Manifest(), {
    dir: dir.path,
    config: { strip_time: true, custom_data: {} },
  });
  assertEquals([keep, mustKeep], [true, true]);
  assertEquals(String(artifact), "what came in");
  assertEquals(third.files, []);
  const text = await dir.read("packer-manifest.json");
  const time = Number(/"build_time": (\d+),/.exec(text)![1]);
  assert(time >= before && time <= Date.now() / 1000);
  assertEquals(
    text,
    `{
  "builds": [
    {
      "name": "vm",
      "builder_type": "null",
      "build_time": ${time},
      "files": [
        {
          "name": "out/a.img",
          "size": 5
        },
        {
          "name": "gone",
          "size": 0
        }
      ],
      "artifact_id": "vm-1",
      "packer_run_uuid": "",
      "custom_data": {
        "a": "i-77-vm",
        "z": "\\u003ca\\u0026b\\u003e\\u0008\\u000c\\t\\u2028\\\\b"
      }
    },
    {
      "name": "vm",
      "builder_type": "null",
      "files": [
        {
          "name": "a.img",
          "size": 5
        }
      ],
      "artifact_id": "",
      "packer_run_uuid": "",
      "custom_data": null
    },
    {
      "name": "vm",
      "builder_type": "null",
      "files": null,
      "artifact_id": "",
      "packer_run_uuid": "",
      "custom_data": {}
    }
  ],
  "last_run_uuid": ""
}`,
  );
  assertEquals(await filesIn(dir.path), ["out/a.img", "packer-manifest.json"]);
});

Deno.test("manifest replaces the entries of earlier runs under -force, and none of its own run", async () => {
  await using dir = await TemporaryDirectory.make({
    "m.json": '{"builds": [{"name": "old"}], "last_run_uuid": "earlier"}',
  });
  const names = async () =>
    JSON.parse(await dir.read("m.json")).builds.map(
      ({ name }: { name: string }) => name,
    );
  const add = (name: string, force: boolean) =>
    processed(new Manifest(), {
      dir: dir.path,
      config: { output: "m.json" },
      build: { name, force },
    });
  await add("one", false);
  assertEquals(await names(), ["old", "one"]);
  await dir.write(
    "m.json",
    '{"builds": [{"name": "old"}], "last_run_uuid": "earlier"}',
  );
  await add("two", true);
  await add("three", true);
  assertEquals(await names(), ["two", "three"]);
});

Deno.test("manifest rejects a file that is not a manifest, and does not change it", async () => {
  await using dir = await TemporaryDirectory.make({ "sub/": "" });
  const refused = (output: string, message: string) =>
    assertRejects(
      () => processed(new Manifest(), { dir: dir.path, config: { output } }),
      Error,
      message,
    );
  for (
    const text of ['{"builds":[', "[]", '{"builds":{}}', '{"last_run_uuid":3}']
  ) {
    await dir.write("m.json", text);
    await refused("m.json", "Unable to parse content from m.json: ");
    assertEquals(await dir.read("m.json"), text);
  }
  await refused("sub", "Unable to open sub for reading");
  await refused("no/m.json", "Unable to write no/m.json");
  await assertRejects(
    () =>
      processed(new Manifest(), {
        dir: dir.path,
        config: { custom_data: { a: "{{nope}}" } },
      }),
    ConfigError,
    'invalid "custom_data.a"',
  );
  assertEquals(await filesIn(dir.path), ["m.json"]);
});

Deno.test("manifest loses no entry when several processes write concurrently, or when one is killed", async () => {
  await using dir = await TemporaryDirectory.make();
  const processes = 4;
  const times = 15;
  const start = (name: string, times: number) =>
    alone("manifest", times, {
      dir: dir.path,
      config: { output: "m.json", custom_data: { text: "x".repeat(20_000) } },
      build: { name },
    }, ["--allow-read", "--allow-write", "--allow-run"]).spawn();
  const killed = start("killed", 1_000_000);
  const first = killed.stdout.getReader();
  await first.read();
  const writers = Array.from(
    { length: processes },
    (_, index) => start(`n${index}`, times),
  );
  await first.read();
  killed.kill("SIGKILL");
  await killed.status;
  await Promise.all([first.cancel(), killed.stderr.cancel()]);
  for (const writer of writers) {
    const { success, stderr } = await writer.output();
    assert(success, new TextDecoder().decode(stderr));
  }
  const { builds } = JSON.parse(await dir.read("m.json"));
  for (let index = 0; index < processes; index++) {
    const own = builds.filter((build: { name: string }) =>
      build.name === `n${index}`
    );
    assertEquals(own.length, times);
  }
  // The guard of the killed process removes its partial file.
  const deadline = performance.now() + HANG_LIMIT_MS;
  let left = await filesIn(dir.path);
  while (left.length > 1 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    left = await filesIn(dir.path);
  }
  assertEquals(left, ["m.json"]);
});

Deno.test("manifest stops waiting for a lock when the build is cancelled", async () => {
  await using dir = await TemporaryDirectory.make({
    "packer-manifest.json": "",
  });
  using held = await Deno.open(join(dir.path, "packer-manifest.json"));
  await held.lock(true);
  const cancelling = new AbortController();
  const waiting = processed(new Manifest(), {
    dir: dir.path,
    signal: cancelling.signal,
  });
  cancelling.abort(new Error("cancelled"));
  await assertRejects(() => waiting, Error, "cancelled");
});

for (
  const [name, flags, config] of [
    ["artifice", ["--allow-read", "--allow-write"], { files: ["in.*"] }],
    ["checksum", ["--allow-read", "--allow-write"], {}],
    [
      "manifest",
      ["--allow-read", "--allow-write", "--allow-env=PACKER_RUN_UUID"],
      {},
    ],
    ["compress", ["--allow-read", "--allow-write"], {}],
    ["compress", ["--allow-read", "--allow-write"], { output: "a.zip" }],
    ["compress", ["--allow-read", "--allow-write"], { output: "a.tar.lz4" }],
    ["compress", ["--allow-read", "--allow-write"], { output: "a.bgzf" }],
  ] as const
) {
  const what = [name, ...Object.values(config)].join(" ");
  Deno.test(`${what} needs no more than ${flags.join(" ")}`, async () => {
    await using dir = await TemporaryDirectory.make({ "in.txt": "text" });
    const { success, stderr } = await alone(name, 1, {
      dir: dir.path,
      files: ["in.txt"],
      config: { ...config },
    }, [...flags]).output();
    assert(success, new TextDecoder().decode(stderr));
    if (name !== "manifest") return;
    const { last_run_uuid } = JSON.parse(
      await dir.read("packer-manifest.json"),
    );
    assertEquals(last_run_uuid, "run-1");
  });
}

Deno.test({
  ...skippable(
    "artifice, compress, checksum and manifest write what Packer writes",
    missing("packer"),
  ),
  async fn() {
    const files = {
      "in/b.sh": "echo\n",
      "in/.a": "a".repeat(70_000),
      [`in/${"n".repeat(150)}`]: "n",
    };
    await using theirs = await TemporaryDirectory.make(files);
    await using ours = await TemporaryDirectory.make(files);
    for (const { path } of [theirs, ours]) {
      await Deno.chmod(join(path, "in/b.sh"), 0o751);
    }
    const artifice = { files: ["./in/*", "in/b.sh"] };
    const compress = { output: "out/{{.BuildName}}.tar" };
    const checksum = {
      checksum_types: ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"],
    };
    const manifest = {
      strip_time: true,
      custom_data: { b: "<\b&>\u2028\u007f", a: "{{build_name}} {{.Nope}}" },
    };
    await theirs.write(
      "t.json",
      JSON.stringify({
        builders: [{ type: "null", name: "vm", communicator: "none" }],
        "post-processors": [[
          { type: "artifice", ...artifice },
          { type: "checksum", ...checksum },
          { type: "manifest", ...manifest },
          { type: "compress", keep_input_artifact: true, ...compress },
          { type: "manifest", ...manifest, strip_path: true },
        ]],
      }),
    );
    await ran("packer", ["build", "-color=false", "t.json"], theirs.path);

    const dir = ours.path;
    const run = async (
      postProcessor: Parameters<typeof processed>[0],
      config: Record<string, unknown>,
      files: readonly string[],
    ) => {
      const { artifact } = await processed(postProcessor, {
        dir,
        config,
        files: [...files],
      });
      return artifact.files;
    };
    const found = await run(new Artifice(), artifice, []);
    const summed = await run(new Checksum(), checksum, found);
    await run(new Manifest(), manifest, summed);
    const packed = await run(new Compress(), compress, summed);
    await run(new Manifest(), { ...manifest, strip_path: true }, packed);

    await Deno.remove(join(theirs.path, "t.json"));
    assertEquals(await filesIn(ours.path), await filesIn(theirs.path));
    for (const file of await filesIn(theirs.path)) {
      const [their, our] = await Promise.all([
        Deno.readFile(join(theirs.path, file)),
        Deno.readFile(join(ours.path, file)),
      ]);
      if (file.endsWith(".tar")) {
        assert(their.every((byte, index) => byte === our[index]), file);
        assertEquals(their.length, our.length);
        continue;
      }
      const text = (bytes: Uint8Array) =>
        new TextDecoder().decode(bytes)
          .replaceAll(/(run_uuid": )"[^"]*"/g, '$1""');
      assertEquals(text(our), text(their), file);
    }
  },
});

async function ran(command: string, args: string[], cwd?: string) {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    env: { CHECKPOINT_DISABLE: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert(
    success,
    `${command} ${args.join(" ")}: ${text(stdout)}${text(stderr)}`,
  );
  return { bytes: stdout, stdout: text(stdout) };
}

function alone(
  name: string,
  times: number,
  processing: Parameters<typeof processed>[1],
  flags: string[] = ["--allow-read", "--allow-write"],
) {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      ...flags,
      join(import.meta.dirname!, "../support/post_processor_program.ts"),
      name,
      String(times),
      JSON.stringify(processing),
    ],
    env: { PACKER_RUN_UUID: "run-1" },
    stdout: "piped",
    stderr: "piped",
  });
}

async function filesIn(dir: string, under = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(join(dir, under))) {
    const path = under === "" ? entry.name : `${under}/${entry.name}`;
    if (entry.isDirectory) found.push(...await filesIn(dir, path));
    else found.push(path);
  }
  return found.sort();
}

async function* bytesOf(bytes: Uint8Array<ArrayBuffer>) {
  yield bytes;
}

async function* endless() {
  while (true) yield new Uint8Array(512);
}
