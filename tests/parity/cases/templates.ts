// The template itself: its root keys, comments, versions, and files that are not templates.

import type { ParityCase } from "../case.ts";
import {
  aFile,
  build,
  inspect,
  local,
  nothing,
  packed,
  validate,
} from "./parts.ts";

const refused = (
  name: string,
  template: unknown,
  ...messageParts: string[]
): ParityCase => ({
  name,
  template,
  args: validate(),
  messageParts,
});

const one = [nothing()];

/** The cases. */
export const templates: readonly ParityCase[] = [
  refused("no-template-in-it", ""),
  refused("cut-off", '{"builders": [', "json"),
  refused(
    "text-behind",
    '{"builders":[{"type":"null","communicator":"none"}]} x',
    "json",
  ),
  refused(
    "trailing-comma",
    '{"builders":[{"type":"null","communicator":"none"},]}',
    "json",
  ),
  refused("a-list", "[]"),
  refused("no-builders", {}, "at least one builder"),
  refused("builders-empty", { builders: [] }, "at least one builder"),
  refused("builders-null-root", { builders: null }, "at least one builder"),
  refused(
    "builder-without-type",
    { builders: [{ name: "x" }] },
    "missing 'type'",
  ),
  refused("builder-a-text", { builders: ["null"] }, "builder"),
  refused("builder-type-a-number", { builders: [{ type: 5 }] }, "5"),
  {
    name: "builder-null",
    template: { builders: [null] },
    args: validate(),
    differs: {
      why: "null-builder",
      ok: false,
      messageParts: ["null"],
      files: [],
    },
  },
  refused("builder-type-in-another-case", {
    builders: [nothing({ type: undefined, Type: "null" })],
  }, "type"),
  {
    name: "builder-name-a-number",
    template: { builders: [nothing({ name: 5 })] },
  },
  {
    name: "everything-null",
    template: {
      builders: one,
      provisioners: null,
      "post-processors": null,
      variables: null,
      "sensitive-variables": null,
      description: null,
      min_packer_version: null,
      "error-cleanup-provisioner": null,
    },
  },
  {
    name: "keys-of-packers-own",
    template: { builders: [aFile({ packer_debug: true })] },
    differs: {
      why: "internal-keys",
      ok: false,
      messageParts: ["unknown key", "packer_debug"],
      files: [],
    },
  },
  {
    name: "push",
    template: { builders: one, push: { name: "x/y", anything: [1] } },
    args: validate(),
  },
  refused("push-a-list", { builders: one, push: [] }, "push", "expected a map"),
  refused(
    "push-a-text",
    { builders: one, push: "x" },
    "push",
    "expected a map",
  ),
  refused(
    "cleanup-provisioner-a-list",
    { builders: one, "error-cleanup-provisioner": [] },
    "cleanup provisioner",
    "map",
  ),
  refused("cleanup-provisioner-without-type", {
    builders: one,
    "error-cleanup-provisioner": { inline: ["x"] },
  }, "missing 'type'"),
  refused(
    "provisioner-null",
    { builders: one, provisioners: [null] },
    "missing 'type'",
  ),
  refused(
    "post-processor-null",
    { builders: one, "post-processors": [null] },
    "bad format",
  ),
  refused(
    "post-processor-empty",
    { builders: one, "post-processors": [""] },
    "type is required",
  ),
  refused("only-with-a-template", {
    variables: { v: "null" },
    builders: one,
    provisioners: [local("true", { only: ["{{user `v`}}"] })],
  }, "not found"),
  refused(
    "keep-input-a-text",
    packed({ type: "manifest", keep_input_artifact: "true" }),
    "keep_input_artifact",
    "bool",
  ),
  refused(
    "two-of-a-name",
    { builders: [nothing({ name: "x" }), nothing({ name: "x" })] },
    "x",
    "exists",
  ),
  refused(
    "two-without-a-name",
    { builders: [nothing(), nothing()] },
    "null",
    "exists",
  ),
  {
    name: "two-names-come-to-one",
    template: {
      variables: { a: "same", b: "same" },
      builders: [
        nothing({ name: "{{user `a`}}" }),
        nothing({ name: "{{user `b`}}" }),
      ],
    },
    args: validate(),
    differs: { why: "one-name-two-builds", ok: false, messageParts: ["same"] },
  },
  refused(
    "unknown-root-key",
    { builders: one, post_processors: [] },
    "post_processors",
    "unknown root level key",
  ),
  refused(
    "several-unknown-root-keys",
    { builders: one, provisoners: [], b: 1 },
    "provisoners",
    "b",
  ),
  {
    name: "comment-an-object",
    template: { _: { x: [1] }, builders: one },
    args: validate(),
    messageParts: ["comment", "_"],
  },
  {
    name: "comments",
    template: {
      _comment: "any",
      _: "",
      builders: one,
    },
    args: validate(),
  },
  refused(
    "comment-in-a-builder",
    { builders: [nothing({ _comment: "x" })] },
    "_comment",
  ),
  {
    name: "comments-inside",
    template: {
      builders: [aFile()],
      provisioners: [local("true", { _comment: "x" })],
    },
    args: validate(),
    messageParts: ["_comment"],
  },
  {
    name: "root-key-in-another-case",
    template: { Builders: one },
    args: validate(),
  },
  {
    name: "description",
    template: { description: "What it is,\nand more", builders: one },
    args: inspect,
  },
  refused(
    "description-a-number",
    { description: 5, builders: one },
    "description",
  ),
  {
    name: "version-met",
    template: { min_packer_version: "1.6.0", builders: one },
    args: validate(),
  },
  {
    name: "version-the-same",
    template: { min_packer_version: "v1.6.6", builders: one },
    args: validate(),
  },
  {
    name: "version-empty",
    template: { min_packer_version: "", builders: one },
    args: validate(),
  },
  refused(
    "version-too-new",
    { min_packer_version: "1.7.0", builders: one },
    "requires packer version 1.7.0 or higher",
  ),
  refused(
    "version-malformed",
    { min_packer_version: "new", builders: one },
    "malformed version",
  ),
  {
    name: "version-too-new-in-inspect",
    template: { min_packer_version: "9", builders: one },
    args: inspect,
  },
  refused("key-twice", '{"builders":[{"type":"null","type":"file"}]}', "type"),
  refused(
    "root-key-twice",
    '{"builders":[{"type":"null","communicator":"none"}],"builders":[]}',
    "builders",
  ),
  refused("provisioner-without-type", {
    builders: one,
    provisioners: [{ inline: "x" }],
  }, "missing 'type'"),
  refused("unknown-provisioner", {
    builders: one,
    provisioners: [{ type: "shel" }],
  }, "shel"),
  refused("provisioners-an-object", {
    builders: one,
    provisioners: { type: "shell-local" },
  }, "array or slice"),
  refused("provisioner-a-text", {
    builders: one,
    provisioners: ["shell-local"],
  }, "provisioner"),
  refused("post-processor-without-type", {
    builders: one,
    "post-processors": [{}],
  }, "type"),
  refused(
    "post-processor-a-number",
    { builders: one, "post-processors": [5] },
    "post-processor",
  ),
  refused("post-processor-too-deep", {
    builders: one,
    "post-processors": [[["manifest"]]],
  }, "post-processor"),
  refused("unknown-post-processor", packed("manifesto"), "manifesto"),
  refused(
    "sensitive-a-text",
    { builders: one, "sensitive-variables": "x" },
    "sensitive",
  ),
  {
    name: "bom",
    template: '\ufeff{"builders":[{"type":"null","communicator":"none"}]}',
    args: validate(),
    differs: { why: "bom", ok: true, messageParts: ["valid"] },
  },
  {
    name: "proto-key",
    template:
      '{"builders":[{"type":"file","target":"x","content":"x","__proto__":{"a":1}}]}',
    args: validate(),
    messageParts: ["__proto__"],
  },
  {
    name: "proto-variable",
    template:
      '{"variables":{"__proto__":"x"},"builders":[{"type":"null","communicator":"none"}]}',
    args: validate(),
    differs: { why: "proto", ok: false, messageParts: ["__proto__"] },
  },
  refused("template-missing", undefined, "template.json", "no such file"),
  {
    name: "from-stdin",
    args: ["build", "-machine-readable", "-"],
    stdin: JSON.stringify({ builders: [aFile()] }),
  },
  {
    name: "from-stdin-cut-off",
    args: ["validate", "-machine-readable", "-"],
    stdin: '{"builders":',
    messageParts: [],
  },
  {
    name: "syntax-only",
    template: { builders: [{ type: "unheard-of" }] },
    args: validate("-syntax-only"),
  },
  {
    name: "syntax-only-no-builders",
    template: { description: "x" },
    args: validate("-syntax-only"),
  },
  {
    name: "syntax-only-cut-off",
    template: "{",
    args: validate("-syntax-only"),
    messageParts: ["json"],
  },
  {
    name: "validate-well",
    template: packed("manifest"),
    args: validate(),
    sample: true,
  },
  {
    name: "validate-everything-that-is-wrong",
    template: {
      builders: [{ type: "file" }],
      provisioners: [{ type: "shell-local" }],
      "post-processors": [{ type: "checksum", checksum_types: ["md6"] }],
    },
    args: validate(),
    messageParts: ["target required"],
  },
  {
    name: "build-without-provisioners",
    template: { builders: [aFile()], provisioners: [], "post-processors": [] },
    args: build("-color=false"),
  },
  {
    name: "people-read-it",
    template: packed("checksum"),
    args: ["build", "-color=false", "template.json"],
    sample: true,
  },
  {
    name: "people-read-what-failed",
    template: {
      builders: [aFile()],
      provisioners: [local("exit 3")],
    },
    args: ["build", "-color=false", "template.json"],
    messageParts: ["exit status", "3", "some builds didn't complete"],
    differs: {
      why: "failed-file-builder",
      ok: false,
      messageParts: ["exit status: 3"],
      files: [],
    },
  },
];
