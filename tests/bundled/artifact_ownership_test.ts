// A post-processor removes only what it made itself. Files that somebody else
// named are removed by the artifact's owner, or not at all.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import FileBuilder from "../../plugin/bundled/builders/file.ts";
import Artifice from "../../plugin/bundled/post_processors/artifice.ts";
import Checksum from "../../plugin/bundled/post_processors/checksum.ts";
import Compress from "../../plugin/bundled/post_processors/compress.ts";
import Manifest from "../../plugin/bundled/post_processors/manifest.ts";
import { FilesArtifact } from "../../plugin/files/files_artifact.ts";
import type { Artifact } from "../../plugin/contract/artifact.ts";
import type { PostProcessor } from "../../plugin/contract/post_processor.ts";
import { decodeConfig } from "../../plugin/sdk/decode_config.ts";
import { prepared } from "../support/component_runner.ts";
import { processed } from "../support/post_processor_program.ts";
import { buildContext, RecordingUi } from "../support/recording_ui.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const signal = new AbortController().signal;

/** An artifact of a plugin that removes nothing, and counts how often it is asked to. */
class ForeignArtifact implements Artifact {
  readonly builderId = "foreign";
  readonly id = "foreign";
  destroyed = 0;
  constructor(readonly files: readonly string[]) {}
  destroy() {
    this.destroyed++;
  }
  toString() {
    return "an image";
  }
}

async function processedFrom(
  postProcessor: PostProcessor,
  artifact: Artifact,
  dir: string,
  config: Record<string, unknown> = {},
) {
  const build = buildContext(dir);
  await postProcessor.configure({
    config: await decodeConfig(config, postProcessor.options, build),
    build,
  });
  const ui = new RecordingUi();
  const result = await postProcessor.postProcess({
    ui,
    artifact,
    data: {},
    signal,
  });
  assert(result.artifact);
  return { artifact: result.artifact };
}

const exists = (path: string) => Deno.lstat(path).then(() => true, () => false);

for (
  const [name, component, config] of [
    ["checksum", () => new Checksum(), { output: "sums" }],
    ["compress", () => new Compress(), { output: "a.tar" }],
    ["manifest", () => new Manifest(), {}],
  ] as const
) {
  Deno.test(`${name} leaves the files of another's artifact to their owner`, async () => {
    await using dir = await TemporaryDirectory.make({
      "precious": "my only copy",
    });
    const foreign = new ForeignArtifact([join(dir.path, "precious")]);
    const { artifact } = await processedFrom(
      component(),
      foreign,
      dir.path,
      config,
    );
    await artifact.destroy();
    assert(await exists(join(dir.path, "precious")));
    assertEquals(foreign.destroyed, name === "compress" ? 0 : 1);
    assertEquals(await exists(join(dir.path, "sums")), false);
    assertEquals(await exists(join(dir.path, "a.tar")), false);
  });
}

Deno.test("checksum's artifact lists the files of its input before its own", async () => {
  await using dir = await TemporaryDirectory.make({ "a": "1" });
  const foreign = new ForeignArtifact(["a"]);
  const { artifact } = await processedFrom(new Checksum(), foreign, dir.path, {
    output: "sums",
  });
  assertEquals(artifact.files, ["a", "sums"]);
});

Deno.test("checksum removes its own file although the owner of the others fails", async () => {
  await using dir = await TemporaryDirectory.make({ "a": "1" });
  const foreign = new ForeignArtifact(["a"]);
  foreign.destroy = () => {
    throw new Error("not permitted");
  };
  const { artifact } = await processedFrom(new Checksum(), foreign, dir.path, {
    output: "sums",
  });
  await assertRejects(
    async () => await artifact.destroy(),
    Error,
    "not permitted",
  );
  assertEquals(await exists(join(dir.path, "sums")), false);
});

Deno.test("FilesArtifact removes no directory, and no device", async () => {
  await using dir = await TemporaryDirectory.make({
    "sub/precious": "x",
    "own": "x",
  });
  const fifo = join(dir.path, "fifo");
  await new Deno.Command("mkfifo", { args: [fifo] }).output();
  await Deno.symlink("sub", join(dir.path, "link"));
  const artifact = new FilesArtifact({
    builderId: "x",
    files: ["sub", "fifo", "own", "link", "gone"],
    workingDirectory: dir.path,
    text: "x",
  });
  await assertRejects(
    () => artifact.destroy(),
    Error,
    "cannot delete sub: it is a directory",
  );
  assert(await exists(join(dir.path, "sub/precious")));
  assert(await exists(fifo));
  assertEquals(await exists(join(dir.path, "own")), false);
  assertEquals(await exists(join(dir.path, "link")), false);
});

Deno.test("artifice removes no directory that its patterns match", async () => {
  await using dir = await TemporaryDirectory.make({
    "out/sub/precious": "x",
    "out/a": "x",
  });
  const { artifact } = await processed(new Artifice(), {
    dir: dir.path,
    config: { files: ["out/*"] },
  });
  await assertRejects(
    async () => await artifact.destroy(),
    Error,
    "cannot delete out/sub: it is a directory",
  );
  assert(await exists(join(dir.path, "out/sub/precious")));
  assertEquals(await exists(join(dir.path, "out/a")), false);
});

Deno.test("builder file leaves what was at its target when it cannot write all of it", async () => {
  await using dir = await TemporaryDirectory.make({ "out": "old", "in": "x" });
  await Deno.truncate(join(dir.path, "in"), 64 * 1024 * 1024);
  const builder = new FileBuilder();
  await prepared(
    builder,
    { source: "in", target: "out" },
    buildContext(dir.path),
  );
  const controller = new AbortController();
  const ui = new RecordingUi();
  ui.progress = () => controller.abort(new Error("cancelled"));
  await assertRejects(
    () => builder.run({ ui, hook: { run() {} }, signal: controller.signal }),
    Error,
    "cancelled",
  );
  assertEquals(await Deno.readTextFile(join(dir.path, "out")), "old");
});

Deno.test("builder file makes a copy that is no more readable than its source", async () => {
  await using dir = await TemporaryDirectory.make({ "in": "secret" });
  await Deno.chmod(join(dir.path, "in"), 0o640);
  const builder = new FileBuilder();
  await prepared(
    builder,
    { source: "in", target: "out" },
    buildContext(dir.path),
  );
  await builder.run({ ui: new RecordingUi(), hook: { run() {} }, signal });
  const { mode } = await Deno.stat(join(dir.path, "out"));
  assertEquals(mode! & 0o777, 0o640);
});

Deno.test("compress makes an archive that is no more readable than its files", async () => {
  await using dir = await TemporaryDirectory.make({
    "a": "1",
    "secret": "2",
    "old.tar": "",
  });
  await Deno.chmod(join(dir.path, "secret"), 0o600);
  await Deno.chmod(join(dir.path, "old.tar"), 0o644);
  const mode = async (output: string, files: string[]) => {
    await processed(new Compress(), {
      dir: dir.path,
      files,
      config: { output },
    });
    return (await Deno.stat(join(dir.path, output))).mode! & 0o777;
  };
  assertEquals(await mode("a.tar", ["a"]) & 0o044, 0o044);
  assertEquals(await mode("b.tar", ["a", "secret"]), 0o600);
  assertEquals(await mode("old.tar", ["a", "secret"]), 0o600);
});

Deno.test("artifice and compress warn of patterns and archives without files", async () => {
  await using dir = await TemporaryDirectory.make({ "a": "1" });
  const ui = new RecordingUi();
  await processed(new Artifice(), {
    dir: dir.path,
    config: { files: ["none*", "a"] },
    ui,
  });
  assert(
    ui.lines.some((line) =>
      line.endsWith('Warning: "none*" in "files" matches no file.')
    ),
    ui.lines.join("\n"),
  );
  await processed(new Compress(), {
    dir: dir.path,
    config: { output: "a.tar" },
    ui,
  });
  assert(
    ui.lines.some((line) =>
      line.endsWith(
        "Warning: the artifact has no files; the archive a.tar is empty.",
      )
    ),
    ui.lines.join("\n"),
  );
});

Deno.test("outputs are named after the last part of a builder's type that is a path", async () => {
  await using dir = await TemporaryDirectory.make({ "a": "1" });
  for (const type of ["./plugin.py", "../x/plugin.py", "/opt/plugin.py"]) {
    const options = { dir: dir.path, files: ["a"], build: { type } };
    const packed = await processed(new Compress(), options);
    assertEquals(packed.artifact.files, ["packer_vm_plugin.py"]);
    const summed = await processed(new Checksum(), options);
    assert(summed.artifact.files.includes("packer_vm_plugin.py_md5.checksum"));
    await summed.artifact.destroy();
    await Deno.writeTextFile(join(dir.path, "a"), "1");
  }
});

Deno.test("manifest fills in custom_data once", async () => {
  await using dir = await TemporaryDirectory.make();
  await processed(new Manifest(), {
    dir: dir.path,
    config: {
      custom_data: {
        a: "{{build `ID`}}",
        b: "{{.ID}} {{build `Host`}} {{.Nope}}",
      },
    },
    data: { ID: "{{user `secret`}} {{build_name}} {{nope}}" },
  });
  const text = await Deno.readTextFile(join(dir.path, "packer-manifest.json"));
  assertEquals(JSON.parse(text).builds[0].custom_data, {
    a: "{{user `secret`}} {{build_name}} {{nope}}",
    b: "{{user `secret`}} {{build_name}} {{nope}} <no value> <no value>",
  });
});
