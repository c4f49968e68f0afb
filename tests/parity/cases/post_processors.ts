// Post-processors: sequences, names, what is kept, and every option of each.

import type { ParityCase } from "../case.ts";
import { aFile, build, local, nothing, packed, validate } from "./parts.ts";

const run = (name: string, ...postProcessors: unknown[]): ParityCase => ({
  name,
  template: packed(...postProcessors),
});
const refused = (
  name: string,
  postProcessor: unknown,
  ...messageParts: string[]
): ParityCase => ({
  name,
  template: packed(postProcessor),
  args: validate(),
  messageParts,
});
const two = {
  builders: [aFile({ name: "a" }), aFile({ name: "b", target: "b.txt" })],
};

/** The cases. */
export const postProcessors: readonly ParityCase[] = [
  {
    name: "checksum-of-its-own-file",
    template: packed(["checksum", "checksum"]),
    differs: {
      why: "checksum-of-its-own-file",
      ok: true,
      messageParts: ["a.txt"],
    },
  },
  run("as-a-text", "manifest"),
  run("sequence", [
    { type: "compress", output: "a.tar" },
    "checksum",
    "manifest",
  ]),
  run(
    "sequences",
    ["checksum"],
    [{ type: "compress", output: "a.tar" }],
    "manifest",
  ),
  run("sequence-empty", []),
  run("keep-input", {
    type: "compress",
    output: "a.tar",
    keep_input_artifact: true,
  }),
  run("keep-input-not", {
    type: "compress",
    output: "a.tar",
    keep_input_artifact: false,
  }),
  run("keep-input-not-with-checksum", {
    type: "checksum",
    keep_input_artifact: false,
  }),
  run("keep-input-not-with-manifest", {
    type: "manifest",
    keep_input_artifact: false,
  }),
  {
    ...run("keep-input-in-a-sequence", [
      { type: "compress", output: "a.tar", keep_input_artifact: true },
      { type: "compress", output: "b.tar.gz" },
    ]),
    differs: { why: "archive-modes", ok: true, messageParts: [] },
  },
  {
    ...run("keep-input-not-in-a-sequence", [
      { type: "compress", output: "a.tar" },
      { type: "compress", output: "b.tar.gz" },
    ]),
    differs: { why: "archive-modes", ok: true, messageParts: [] },
  },
  run("keep-input-not-in-one-of-two", [{ type: "compress", output: "a.tar" }], [
    { type: "compress", output: "b.tar", keep_input_artifact: true },
  ]),
  refused("keep-input-no-boolean", {
    type: "manifest",
    keep_input_artifact: "maybe",
  }, "keep_input_artifact"),
  {
    name: "post-only",
    template: {
      ...two,
      "post-processors": [{ type: "checksum", only: ["a"] }],
    },
    unordered: true,
  },
  {
    name: "post-except",
    template: {
      ...two,
      "post-processors": [{ type: "checksum", except: ["a"] }],
    },
    unordered: true,
  },
  refused(
    "post-only-unknown",
    { type: "manifest", only: ["x"] },
    "only",
    "x",
    "not found",
  ),
  refused(
    "post-except-unknown",
    { type: "manifest", except: ["x"] },
    "except",
    "x",
    "not found",
  ),
  refused("post-only-and-except", {
    type: "manifest",
    only: ["file"],
    except: ["file"],
  }, "only one of"),
  {
    name: "post-named-excepted",
    template: packed({ type: "manifest", name: "list" }, "checksum"),
    args: build("-except=list"),
  },
  {
    name: "post-named",
    template: packed(
      { type: "checksum", name: "sums" },
      { type: "manifest", name: "manifest" },
      [
        {
          type: "shell-local",
          name: "say",
          inline: ["echo said"],
        },
        { type: "compress", name: "pack", output: "a.tar.gz" },
      ],
    ),
    sample: true,
  },
  run("post-passed-on-and-kept", [
    { type: "shell-local", inline: ["true"] },
    { type: "shell-local", inline: ["true"] },
    "manifest",
  ]),
  run("post-passed-on-and-packed", [
    { type: "shell-local", inline: ["true"] },
    { type: "compress", output: "a.tar" },
  ]),
  run("post-passed-on-and-packed-kept", [
    { type: "shell-local", inline: ["true"] },
    { type: "compress", output: "a.tar", keep_input_artifact: true },
    "checksum",
  ]),
  run("post-passed-on-is-not-kept", [
    { type: "shell-local", inline: ["true"], keep_input_artifact: false },
    { type: "manifest", keep_input_artifact: false },
  ]),
  {
    name: "post-passed-on-packed-and-needed",
    template: packed(
      [{ type: "shell-local", inline: ["true"] }, {
        type: "compress",
        output: "a.tar",
      }],
      "checksum",
    ),
    differs: {
      why: "input-of-the-next",
      ok: true,
      messageParts: ["a.tar"],
      files: ["a.tar", "packer_file_file_md5.checksum"],
    },
  },
  ...["checksum", "manifest", "compress"].map((type): ParityCase => ({
    name: `${type}-to-a-folder`,
    template: packed({ type, output: "dir/" }),
    files: { "dir/x": "x" },
    messageParts: ["dir/: is a directory"],
  })),
  {
    name: "post-named-fails",
    template: packed({ type: "shell-local", name: "stop", inline: ["exit 7"] }),
    messageParts: ["post-processor failed", "7"],
  },
  {
    name: "post-excepted-by-type",
    template: packed("manifest", "checksum"),
    args: build("-except=manifest"),
  },
  {
    name: "post-excepted-in-a-sequence",
    template: packed(["checksum", {
      type: "compress",
      output: "a.tar",
      name: "pack",
    }, "manifest"]),
    args: build("-except=pack"),
  },
  {
    name: "post-of-an-artifact-without-files",
    template: {
      builders: [nothing()],
      "post-processors": ["manifest", "checksum"],
    },
  },
  {
    name: "post-fails-first-stays",
    template: packed({ type: "artifice", files: ["none*"] }, {
      type: "shell-local",
      inline: ["exit 2"],
    }, "manifest"),
  },
  refused("artifice-no-files", { type: "artifice" }, "files"),
  refused(
    "artifice-files-empty",
    { type: "artifice", files: [] },
    "no files specified",
  ),
  refused(
    "artifice-unknown-key",
    { type: "artifice", files: ["x"], file: "x" },
    "file",
  ),
  {
    name: "artifice",
    template: {
      builders: [aFile()],
      provisioners: [
        local("mkdir out; echo 1 > out/b.bin; echo 2 > out/a.bin"),
      ],
      "post-processors": [[{ type: "artifice", files: ["out/*.bin"] }, {
        type: "checksum",
        checksum_types: ["sha1"],
      }]],
    },
  },
  {
    name: "artifice-discards",
    template: {
      builders: [aFile()],
      provisioners: [local("echo 1 > b.bin")],
      "post-processors": [{
        type: "artifice",
        files: ["b.bin"],
        keep_input_artifact: false,
      }],
    },
  },
  run("artifice-no-such-file", { type: "artifice", files: ["gone.bin"] }),
  {
    name: "artifice-broken-pattern",
    template: packed({ type: "artifice", files: ["[a"] }),
    differs: {
      why: "artifice-patterns",
      ok: false,
      messageParts: ["[a"],
      files: [],
    },
  },
  run("checksum-every-type", {
    type: "checksum",
    checksum_types: ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"],
    output: "{{.BuildName}}_{{.BuilderType}}.{{.ChecksumType}}",
  }),
  run("checksum-one-output", {
    type: "checksum",
    checksum_types: ["md5", "sha1"],
    output: "sums/all.txt",
  }),
  {
    name: "checksum-appends",
    template: packed({ type: "checksum", output: "sums.txt" }),
    files: { "sums.txt": "before\n" },
  },
  refused(
    "checksum-bad-type",
    { type: "checksum", checksum_types: ["md6"] },
    "unrecognized checksum type: md6",
  ),
  refused(
    "checksum-bad-output",
    { type: "checksum", output: "{{.Nope" },
    "output",
  ),
  {
    name: "checksum-unknown-field",
    template: packed({ type: "checksum", output: "{{.Nope}}" }),
  },
  refused(
    "checksum-unknown-key",
    { type: "checksum", checksum_type: "md5" },
    "checksum_type",
  ),
  run("checksum-type-a-text", { type: "checksum", checksum_types: "sha1" }),
  run("compress", "compress"),
  ...[
    "a.tar",
    "a.tar.gz",
    "a.gz",
    "a.zip",
    "a.lz4",
    "a.tar.lz4",
    "a.bgzf",
    "a.tar.bgzf",
    "a.unheard-of",
    "sub/a.zip",
  ].map((output) =>
    run(`compress-${output.replace("/", "-")}`, { type: "compress", output })
  ),
  run("compress-format", { type: "compress", output: "a.bin", format: "zip" }),
  run("compress-format-tar", {
    type: "compress",
    output: "a.zip",
    format: "tar",
  }),
  run("compress-levels", {
    type: "compress",
    output: "a1.gz",
    compression_level: 1,
  }, {
    type: "compress",
    output: "a9.tar.gz",
    compression_level: "9",
  }),
  run("compress-template", {
    type: "compress",
    output: "{{.BuildName}}-{{.BuilderType}}-{{build_name}}.zip",
  }),
  refused(
    "compress-bad-template",
    { type: "compress", output: "{{.BuildName" },
    "output",
  ),
  refused("compress-unknown-key", { type: "compress", level: 1 }, "level"),
  refused("compress-level-no-number", {
    type: "compress",
    compression_level: "high",
  }, "compression_level"),
  {
    name: "compress-level-too-low",
    template: packed({
      type: "compress",
      output: "a.gz",
      compression_level: -7,
    }),
    messageParts: ["compression level"],
    differs: {
      why: "compression-levels",
      ok: false,
      messageParts: ["invalid compression level"],
      files: [],
    },
  },
  {
    name: "compress-xz",
    template: packed({ type: "compress", output: "a.tar.xz" }),
    differs: {
      why: "no-xz",
      ok: false,
      messageParts: ["xz archives cannot be written"],
      files: [],
    },
  },
  {
    name: "compress-several-without-an-archive",
    template: {
      builders: [aFile()],
      provisioners: [local("echo 1 > b.bin")],
      "post-processors": [[{ type: "artifice", files: ["a.txt", "b.bin"] }, {
        type: "compress",
        output: "x.gz",
      }]],
    },
    differs: {
      why: "compress-checks-first",
      ok: false,
      messageParts: ["can only have 1 input file when not using tar/zip"],
      files: ["a.txt", "b.bin"],
    },
  },
  {
    name: "compress-nothing",
    template: {
      builders: [nothing()],
      "post-processors": [{ type: "compress", output: "x.tar" }],
    },
  },
  run("manifest", "manifest"),
  run("manifest-every-option", {
    type: "manifest",
    output: "sub.json",
    strip_path: true,
    strip_time: true,
    custom_data: {
      b: "x",
      a: "{{build_name}} {{build `ID`}} {{len isotime}}",
    },
  }),
  {
    name: "manifest-strip-path",
    template: {
      builders: [aFile({ target: "deep/down/a.txt" })],
      "post-processors": [{
        type: "manifest",
        strip_path: true,
        output: "m1.json",
      }, { type: "manifest", output: "m2.json" }],
    },
  },
  {
    name: "manifest-added-to",
    template: packed("manifest"),
    files: {
      "packer-manifest.json": {
        builds: [{
          name: "old",
          builder_type: "file",
          build_time: 1,
          files: null,
          artifact_id: "x",
          packer_run_uuid: "y",
          custom_data: null,
        }],
        last_run_uuid: "y",
      },
    },
  },
  {
    name: "manifest-of-two",
    template: { ...two, "post-processors": ["manifest"] },
    args: build("-parallel-builds=1"),
    unordered: true,
  },
  {
    name: "manifest-forced",
    template: packed("manifest"),
    args: build("-force"),
    files: {
      "packer-manifest.json": {
        builds: [{
          name: "old",
          builder_type: "file",
          files: null,
          artifact_id: "x",
          packer_run_uuid: "y",
          custom_data: null,
        }],
        last_run_uuid: "y",
      },
    },
  },
  {
    name: "manifest-broken",
    template: packed("manifest"),
    files: { "packer-manifest.json": "{" },
    messageParts: ["packer-manifest.json"],
  },
  refused("manifest-unknown-key", { type: "manifest", out: "x" }, "out"),
  refused("manifest-strip-path-no-boolean", {
    type: "manifest",
    strip_path: "maybe",
  }, "strip_path"),
  refused("manifest-custom-data-a-list", {
    type: "manifest",
    custom_data: ["x"],
  }, "custom_data"),
];
