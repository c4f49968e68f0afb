// Templates as users write them: values of a similar type, options
// of other plugins, templates in all places, and what was copied from elsewhere.

import type { ParityCase } from "../case.ts";
import {
  aFile,
  build,
  local,
  nothing,
  packed,
  provisioned,
  validate,
} from "./parts.ts";

const made = (
  name: string,
  template: unknown,
  more: Partial<ParityCase> = {},
): ParityCase => ({ name: `odd-${name}`, template, ...more });

const refused = (
  name: string,
  template: unknown,
  ...messageParts: string[]
): ParityCase => ({
  name: `odd-${name}`,
  template,
  args: validate(),
  messageParts,
});

const written = (name: string, content: string, variables: unknown = {}) =>
  made(name, { variables, builders: [aFile({ content })] });

const step = (more: Record<string, unknown>) => ({
  type: "shell-local",
  ...more,
});

/** The cases. */
export const odd: readonly ParityCase[] = [
  // Values of a kind that is nearly right.
  made("retries-as-number", provisioned(local("echo x", { max_retries: 1 }))),
  made(
    "retries-as-boolean",
    provisioned(local("echo x", { max_retries: true })),
  ),
  made("retries-as-float", provisioned(local("echo x", { max_retries: 1.5 })), {
    args: validate(),
    messageParts: [],
  }),
  made("pause-as-boolean", provisioned(local("x", { pause_before: true })), {
    args: validate(),
  }),
  refused(
    "pause-as-list",
    provisioned(local("x", { pause_before: ["1s"] })),
    "pause_before",
  ),
  refused(
    "timeout-with-spaces",
    provisioned(local("x", { timeout: "1 s" })),
    "timeout",
  ),
  made(
    "pause-in-several-units",
    provisioned(local("echo x", { pause_before: "0m0.01s" })),
  ),
  refused(
    "pause-empty",
    provisioned(local("x", { pause_before: "" })),
    "pause_before",
  ),
  made("inline-numbers", provisioned(step({ inline: [":", 1, true] }))),
  made("inline-nested", provisioned(step({ inline: [["echo x"]] })), {
    args: validate(),
    messageParts: [],
  }),
  made("inline-null", provisioned(step({ inline: null, command: "echo c" }))),
  made("inline-null-inside", provisioned(step({ inline: ["echo x", null] }))),
  made(
    "exit-codes-as-text",
    provisioned(local("exit 3", { valid_exit_codes: "3" })),
  ),
  made(
    "exit-codes-mixed",
    provisioned(local("exit 3", { valid_exit_codes: ["0", 3] })),
  ),
  made(
    "exit-codes-empty",
    provisioned(local("exit 0", { valid_exit_codes: [] })),
  ),
  made(
    "environment-with-number",
    provisioned(local("echo $A", { environment_vars: ["A=1", "B=a=b"] })),
  ),
  made(
    "environment-empty-value",
    provisioned(local("echo [$A]", { environment_vars: ["A="] })),
  ),
  made(
    "environment-quotes",
    provisioned(
      local('echo "$A"', { environment_vars: ['A=it\'s "so" $HOME'] }),
    ),
  ),
  made("environment-templates", {
    variables: { v: "of a variable" },
    builders: [nothing()],
    provisioners: [
      local('echo "$A"', {
        environment_vars: ["A={{user `v`}} {{build_name}}"],
      }),
    ],
  }),
  made(
    "keep-input-text-true",
    packed({ type: "checksum", keep_input_artifact: "true" }),
    {
      args: validate(),
      messageParts: [],
    },
  ),
  made(
    "keep-input-number",
    packed({ type: "checksum", keep_input_artifact: 1 }),
    {
      args: validate(),
      messageParts: [],
    },
  ),
  made(
    "strip-path-as-text",
    packed({ type: "manifest", output: "m.json", strip_path: "true" }),
  ),
  made(
    "strip-path-as-number",
    packed({ type: "manifest", output: "m.json", strip_path: 1 }),
  ),
  made(
    "level-as-text",
    packed({ type: "compress", output: "a.gz", compression_level: "9" }),
  ),
  made(
    "level-zero",
    packed({ type: "compress", output: "a.tar.gz", compression_level: 0 }),
  ),
  made(
    "level-one",
    packed({ type: "compress", output: "a.tgz", compression_level: 1 }),
  ),
  made(
    "custom-data-numbers",
    packed({
      type: "manifest",
      output: "m.json",
      custom_data: { n: 1, b: true, f: 1.5, t: "{{user `nobody`}}" },
    }),
    { args: validate(), messageParts: [] },
  ),
  made(
    "custom-data-weak",
    packed({
      type: "manifest",
      output: "m.json",
      custom_data: { n: 1, b: true, f: 1.5 },
    }),
  ),
  made(
    "disable-as-text",
    provisioned({ type: "breakpoint", disable: "true", note: "n" }),
  ),
  made("disable-as-number", provisioned({ type: "breakpoint", disable: 1 })),
  made("generated-as-text", {
    builders: [aFile()],
    provisioners: [{
      type: "file",
      source: "x",
      destination: "y",
      generated: "true",
      only: ["nobody"],
    }],
  }, { args: validate(), messageParts: ["nobody"] }),

  // Options that are nearly right, or of something else.
  refused(
    "near-inline",
    provisioned(step({ inlines: ["x"], inline: ["x"] })),
    "inlines",
  ),
  refused(
    "near-environment",
    provisioned(local("x", { environment_var: ["A=1"] })),
    "environment_var",
  ),
  refused(
    "near-output",
    packed({ type: "compress", outputs: "a.zip" }),
    "outputs",
  ),
  refused("near-target", {
    builders: [{ type: "file", content: "x", targets: "a", target: "b" }],
  }, "targets"),
  refused(
    "options-of-two",
    { builders: [aFile({ foo: 1, bar: 2 })] },
    "foo",
    "bar",
  ),
  refused("hcl-source", { source: { file: { a: {} } } }, "source"),
  refused("hcl-build", {
    build: { sources: ["source.file.a"] },
    builders: [aFile()],
  }, "build"),
  refused(
    "hcl-reference",
    { builders: [aFile()], variable: { v: {} } },
    "variable",
  ),
  made("hcl-interpolation", {
    variables: { v: "1" },
    builders: [aFile({ content: "${var.v}" })],
  }),
  refused("builder-singular", { builder: [aFile()] }, "builder"),
  refused("post-processors-underscore", {
    builders: [aFile()],
    post_processors: [],
  }, "post_processors"),
  refused(
    "filename-of-manifest",
    packed({ type: "manifest", filename: "m.json" }),
    "filename",
  ),
  made(
    "vmware-options-on-null",
    { builders: [nothing({ boot_wait: "10s" })] },
    {
      args: validate(),
      messageParts: ["boot_wait"],
    },
  ),
  made(
    "packer-keys-in-provisioner",
    provisioned(local("echo x", { packer_build_name: "x" })),
    {
      args: validate(),
      differs: {
        why: "internal-keys",
        ok: false,
        messageParts: ["packer_build_name"],
      },
    },
  ),
  refused("type-with-template", {
    variables: { t: "file" },
    builders: [{ type: "{{user `t`}}", target: "a", content: "x" }],
  }, "{{user `t`}}"),

  // Templates.
  written(
    "nested-functions",
    "{{upper (replace_all `-` `_` (lower `A-B-C`))}}",
  ),
  written("split-in-variables", "{{user `b`}}", {
    a: "x.y.z",
    b: "{{split (user `a`) `.` 1}}",
  }),
  written("two-steps", "{{user `c`}}", {
    a: "1",
    b: "{{user `a`}}2",
    c: "{{user `b`}}3",
  }),
  written("quotes-in-value", "{{user `q`}}", { q: 'say "hi" \\ `x`' }),
  written("newlines-in-value", "{{user `q`}}", { q: "a\nb\tc" }),
  written("unicode-name", "{{user `größe`}}", { "größe": "é" }),
  written("dashed-name", "{{user `my-var.x y`}}", { "my-var.x y": "z" }),
  written(
    "isotime-parts",
    "{{isotime `2006` | len}} {{isotime `Jan` | len}} {{isotime `MST`}}",
  ),
  written("isotime-literal", "{{isotime `literal`}}"),
  written("strftime-literal", "{{strftime `%%`}} {{strftime `%Y` | len}}"),
  written(
    "printf-widths",
    "{{printf `%05d|%-5s|%5s|%x|%q|%v|%t` 42 `a` `b` 255 `q` true false}}",
  ),
  written("compare-several", "{{if eq `a` `b` `a`}}one of them{{end}}"),
  written(
    "and-or-not",
    "{{and `a` ``}}|{{or `` `b`}}|{{not true}}|{{and true (not false)}}",
  ),
  written("with-else", "{{with ``}}x{{else}}empty{{end}}"),
  written("define-inside", "{{define `t`}}<{{.}}>{{end}}{{template `t` `x`}}"),
  written("html-and-js", "{{html `<a>`}} {{js `it's`}} {{urlquery `a b&c`}}"),
  written("slice-and-index", "{{slice `abcdef` 1 3}} {{index `abc` 1}}"),
  written(
    "spaces-and-comments",
    "{{   user   `v`   }}{{/* note */}}{{- /* n */ -}} x",
    { v: "1" },
  ),
  written("braces", "{ {x} } }} {{`{{`}}"),
  written("json-inside", '{"a": {"b": "{{user `v`}}"}}', { v: "1" }),
  refused(
    "env-elsewhere",
    { builders: [aFile({ content: "{{env `HOME`}}" })] },
    "env",
  ),
  refused("unknown-function", {
    builders: [aFile({ content: "{{aws_secretsmanager_x `a`}}" })],
  }, "aws_secretsmanager_x"),
  refused("clean-ami-name", {
    builders: [aFile({ content: "{{clean_ami_name `a`}}" })],
  }, "clean_ami_name"),
  refused("user-without-quotes", {
    variables: { v: "1" },
    builders: [aFile({ content: "{{user v}}" })],
  }, "v"),
  refused(
    "dot-user",
    { builders: [aFile({ content: "{{ user.v }}" })] },
    "user",
  ),
  refused("single-quotes", {
    variables: { v: "1" },
    builders: [aFile({ content: "{{user 'v'}}" })],
  }, "'v'"),
  refused("isotime-wrong-kind", {
    builders: [aFile({ content: "{{isotime 5}}" })],
  }, "isotime"),
  made("templates-in-only", {
    variables: { b: "null" },
    builders: [nothing()],
    provisioners: [local("echo x", { only: ["{{user `b`}}"] })],
  }, { args: validate(), messageParts: ["not found"] }),
  made("templates-in-post-processors-only", {
    variables: { b: "file" },
    builders: [aFile()],
    "post-processors": [{ type: "manifest", only: ["{{user `b`}}"] }],
  }, { args: validate(), messageParts: ["not found"] }),
  made("templates-in-step-names", {
    variables: { b: "m" },
    builders: [aFile()],
    "post-processors": [{
      type: "manifest",
      name: "{{user `b`}}",
      output: "{{user `b`}}.json",
    }],
  }),
  made("env-through-two-variables", {
    variables: { home: "{{env `ODD`}}", a: "<{{user `home`}}>" },
    builders: [aFile({ content: "{{user `a`}}" })],
  }, { env: { ODD: "of the environment" } }),
  made("env-unset", {
    variables: { home: "{{env `ODD_UNSET`}}" },
    builders: [aFile({ content: "[{{user `home`}}]" })],
  }),
  made("sensitive-in-output", {
    variables: { secret: "hunter2" },
    "sensitive-variables": ["secret"],
    builders: [nothing()],
    provisioners: [local("echo a word: hunter2!")],
  }, {
    differs: {
      why: "sensitive-hidden",
      ok: true,
      messageParts: ["<sensitive>"],
    },
  }),
  made("sensitive-empty", {
    variables: { secret: "" },
    "sensitive-variables": ["secret"],
    builders: [nothing()],
    provisioners: [local("echo plain")],
  }),

  // Builds and steps.
  made("override-by-given-name", {
    builders: [nothing({ name: "a" }), nothing({ name: "b" })],
    provisioners: [step({
      inline: ["echo common"],
      override: {
        a: { inline: ["echo of a"] },
        b: { environment_vars: ["X=1"] },
      },
    })],
  }, { unordered: true }),
  refused("override-by-type", {
    builders: [nothing({ name: "a" })],
    provisioners: [local("x", { override: { null: { inline: ["y"] } } })],
  }, "override"),
  made("error-cleanup-with-options", {
    builders: [nothing()],
    provisioners: [local("exit 1")],
    "error-cleanup-provisioner": local("echo cleaning", {
      max_retries: 1,
      pause_before: "10ms",
    }),
  }),
  made("error-cleanup-only-elsewhere", {
    builders: [nothing()],
    provisioners: [local("exit 1")],
    "error-cleanup-provisioner": local("echo cleaning", {
      only: ["elsewhere"],
    }),
  }),
  made(
    "retries-then-well",
    provisioned(
      local("test -e again || { touch again; exit 1; }", { max_retries: 2 }),
    ),
  ),
  made(
    "sequence-sum-and-note",
    packed([
      {
        type: "checksum",
        checksum_types: ["sha224", "sha384"],
        output: "{{.BuildName}}.{{.ChecksumType}}",
        keep_input_artifact: true,
      },
      { type: "manifest", output: "m.json" },
    ]),
  ),
  made(
    "two-sequences-two-packs",
    packed(
      [{ type: "compress", output: "a.tar" }],
      [{ type: "compress", output: "b.zip" }],
    ),
  ),
  made("artifice-then-pack", {
    builders: [nothing()],
    provisioners: [local("mkdir -p out && echo 1 > out/a && echo 2 > out/b")],
    "post-processors": [[
      { type: "artifice", files: ["out/*"] },
      { type: "compress", output: "out.tar.gz" },
    ]],
  }),
  made(
    "shell-local-of-artifact",
    packed(step({
      inline: [
        "cp a.txt b.txt",
        "echo $PACKER_BUILD_NAME $PACKER_BUILDER_TYPE",
      ],
    })),
  ),
  made(
    "only-on-windows",
    provisioned(local("echo x", { only_on: ["windows"] })),
  ),
  made(
    "windows-extension",
    provisioned(local("echo x", { tempfile_extension: ".cmd" })),
    {
      aside: [/\/tmp\S*\.cmd/, /SCRIPT\S*/],
    },
  ),
  refused(
    "windows-script",
    provisioned(step({ script: "C:\\x.ps1" })),
    "x.ps1",
  ),
  made("target-with-folders", {
    builders: [aFile({ target: "a/b/{{build_name}}.txt" })],
  }),
  made("target-dot", { builders: [aFile({ target: "./a.txt" })] }),
  made(
    "custom-data-null",
    packed({ type: "manifest", output: "m.json", custom_data: { a: null } }),
  ),
  made("content-empty-and-source", {
    builders: [{ type: "file", content: "", source: "s.txt", target: "t.txt" }],
  }, { files: { "s.txt": "of s" } }),
  made("force-twice", { builders: [aFile({ target: "a.txt" })] }, {
    files: { "a.txt": "old" },
    args: build("-force"),
  }),
  made("comment-keys-everywhere", {
    _c: "x",
    variables: { _v: "1" },
    builders: [aFile({ content: "{{user `_v`}}" })],
  }),
  refused(
    "comment-in-provisioner",
    provisioned(local("x", { _note: "n" })),
    "_note",
  ),
];
