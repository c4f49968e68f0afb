// The selection of builds, and the arguments of the commands.

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

const three = {
  builders: ["a", "b", "cc"].map((name) =>
    aFile({ name, target: `${name}.txt` })
  ),
};
const selected = (name: string, ...flags: string[]): ParityCase => ({
  name,
  template: three,
  args: build(...flags),
  unordered: true,
});

/** The cases. */
export const selection: readonly ParityCase[] = [
  selected("select-only", "-only=a"),
  { ...selected("select-only-two", "-only=a,cc"), sample: true },
  {
    ...selected("select-only-spaces", "-only", "a, cc"),
    differs: {
      why: "spaces-in-lists",
      ok: true,
      messageParts: ["cc.txt"],
      files: ["a.txt", "cc.txt"],
    },
  },
  selected("select-except", "-except=a"),
  selected("select-only-twice", "-only=a", "-only=b"),
  selected("select-parallel", "-parallel-builds=2"),
  selected("select-parallel-all", "-parallel-builds=-1"),
  selected("select-only-empty", "-only="),
  selected("select-only-empty-and-one", "-only=,a"),
  selected("select-except-empty", "-except="),
  selected(
    "select-only-builder-and-except-post-processor",
    "-only=a,b",
    "-except=b,x",
  ),
  selected("switches-as-go-reads-them", "-debug=F", "-force=1", "-color=f"),
  selected("select-debug-off", "-debug=false"),
  selected("select-timestamps-off", "-timestamp-ui=false"),
  {
    ...selected("select-glob", "-only=?"),
    differs: {
      why: "globs",
      ok: true,
      messageParts: ["a.txt", "b.txt"],
      files: ["a.txt", "b.txt"],
    },
  },
  { ...selected("select-none", "-only=x"), messageParts: [] },
  { ...selected("select-except-all", "-except=a,b,cc"), messageParts: [] },
  { ...selected("select-except-unknown", "-except=x") },
  selected("select-only-and-except", "-only=a", "-except=b"),
  {
    name: "validate-only",
    template: { builders: [nothing(), { type: "file" }] },
    args: validate("-only=null"),
  },
  {
    name: "validate-except",
    template: { builders: [nothing(), { type: "file" }] },
    args: validate("-except=file"),
  },
  {
    name: "only-of-a-name-with-template",
    template: {
      variables: { v: "1" },
      builders: [nothing({ name: "a{{user `v`}}" }), nothing({ name: "b" })],
    },
    args: build("-only=a1"),
  },
  {
    name: "usage-unknown-flag",
    template: three,
    args: build("-nope"),
    differs: { why: "usage-errors", ok: false, messageParts: ["nope"] },
  },
  {
    name: "usage-no-template",
    args: ["build"],
    differs: { why: "usage-errors", ok: false, messageParts: ["template"] },
  },
  {
    name: "usage-two-templates",
    template: three,
    args: ["build", "template.json", "template.json"],
    differs: { why: "usage-errors", ok: false, messageParts: ["template"] },
  },
  {
    name: "usage-bad-on-error",
    template: three,
    args: build("-on-error=panic"),
    differs: { why: "usage-errors", ok: false, messageParts: ["panic"] },
  },
  {
    name: "usage-bad-parallel",
    template: three,
    args: build("-parallel-builds=x"),
    differs: {
      why: "usage-errors",
      ok: false,
      messageParts: ["-parallel-builds"],
    },
  },
  {
    name: "usage-bad-switch",
    template: three,
    args: build("-color=no"),
    differs: { why: "usage-errors", ok: false, messageParts: ["-color"] },
  },
  {
    name: "machine-readable-off",
    template: { builders: [nothing()] },
    args: ["build", "-color=false", "-machine-readable=false", "template.json"],
  },
  {
    name: "validate-syntax-only-for-people",
    template: { builders: [nothing()] },
    args: ["validate", "-syntax-only", "template.json"],
  },
  {
    name: "validate-var-of-no-variable",
    template: { builders: [nothing()] },
    args: validate("-var", "nobody=1"),
  },
  {
    name: "validate-var-file-gone",
    template: { builders: [nothing()] },
    args: validate("-var-file=gone.json"),
    messageParts: ["gone.json: no such file or directory"],
  },
  {
    name: "template-gone",
    args: ["build", "-machine-readable", "gone.json"],
    messageParts: ["no such file or directory"],
  },
  {
    name: "inspect-gone",
    args: ["inspect", "-machine-readable", "gone.json"],
    messageParts: ["no such file or directory"],
  },
  {
    name: "usage-validate-no-template",
    args: ["validate"],
    differs: { why: "usage-errors", ok: false, messageParts: ["template"] },
  },
  {
    name: "usage-inspect-no-template",
    args: ["inspect"],
    differs: { why: "usage-errors", ok: false, messageParts: ["template"] },
  },
  {
    name: "flags-with-two-dashes",
    template: three,
    args: ["build", "-machine-readable", "--only=a", "template.json"],
  },
  {
    name: "flag-behind-the-template",
    template: three,
    args: ["build", "-machine-readable", "template.json", "-only=a"],
    differs: {
      why: "flags-anywhere",
      ok: true,
      messageParts: ["a.txt"],
      files: ["a.txt"],
    },
  },
  {
    name: "template-in-a-folder",
    files: {
      "sub/t.json": { builders: [aFile({ content: "{{template_dir}}" })] },
    },
    args: ["build", "-machine-readable", "sub/t.json"],
  },
  {
    name: "force-over-old",
    template: packed({ type: "compress", output: "a.tar" }),
    files: { "a.tar": "old" },
    args: build("-force"),
  },
  {
    name: "on-error-abort",
    template: { builders: [nothing()], provisioners: [local("exit 1")] },
    args: build("-on-error=abort"),
  },
  {
    name: "inspect-everything",
    template: {
      description: "all of it",
      variables: { a: "x", req: null },
      builders: [
        nothing({ name: "z" }),
        aFile(),
        nothing({ name: "long-name" }),
      ],
      provisioners: [local("x"), { type: "shell", inline: "x" }, {
        type: "no-such",
      }],
      "post-processors": ["manifest", [{ type: "compress" }, {
        type: "checksum",
        name: "sum",
      }]],
    },
    args: inspect,
    sample: true,
  },
  {
    name: "inspect-for-people",
    template: {
      variables: { a: "x", bb: "y" },
      builders: [nothing()],
      "post-processors": ["manifest"],
    },
    args: ["inspect", "template.json"],
    differs: {
      why: "inspect-text",
      ok: true,
      messageParts: ["Post-processors:", "manifest"],
    },
  },
  {
    name: "inspect-broken",
    template: "{",
    args: inspect,
    messageParts: ["json"],
  },
  {
    name: "inspect-names-with-template",
    template: {
      variables: { v: "1" },
      builders: [nothing({ name: "n{{user `v`}}" })],
    },
    args: inspect,
  },
];
