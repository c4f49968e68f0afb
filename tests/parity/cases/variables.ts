// Variables: defaults, -var, -var-file, required and sensitive ones.

import type { ParityCase } from "../case.ts";
import { aFile, build, inspect, local, nothing, validate } from "./parts.ts";

const shown = (variables: unknown, content: string) => ({
  variables,
  builders: [aFile({ content })],
});
const given = (
  name: string,
  flags: string[],
  rest: Partial<ParityCase> = {},
): ParityCase => ({
  name,
  template: shown(
    { a: "default a", b: "default b" },
    "{{user `a`}}|{{user `b`}}",
  ),
  args: build(...flags),
  ...rest,
});

/** The cases. */
export const variables: readonly ParityCase[] = [
  given("var-default", []),
  given("var-one", ["-var", "a=1"], { sample: true }),
  given("var-with-equals-sign", ["-var=a=1=2=3"]),
  given("var-empty", ["-var", "a="]),
  given("var-twice", ["-var", "a=1", "-var", "a=2"]),
  given("var-without-equals-sign", ["-var", "a"], {
    differs: { why: "usage-errors", ok: false, messageParts: ["name=value"] },
  }),
  given("var-undeclared", ["-var", "zzz=1"], {}),
  given("var-file", ["-var-file=v.json"], {
    files: { "v.json": { a: "from file" } },
  }),
  given("var-file-then-var", ["-var-file=v.json", "-var", "a=flag"], {
    files: { "v.json": { a: "file" } },
  }),
  given("var-then-var-file", ["-var", "a=flag", "-var-file=v.json"], {
    files: { "v.json": { a: "file" } },
  }),
  given("var-files", ["-var-file=v.json", "-var-file=w.json"], {
    files: { "v.json": { a: "v", b: "v" }, "w.json": { b: "w" } },
  }),
  given("var-file-missing", ["-var-file=gone.json"], {
    messageParts: ["gone.json", "no such file"],
  }),
  given("var-file-broken", ["-var-file=v.json"], {
    files: { "v.json": '{"a":' },
    messageParts: ["v.json"],
  }),
  given("var-file-numbers", ["-var-file=v.json"], {
    messageParts: ["Error reading variables in 'v.json'", "number"],
    files: { "v.json": '{"a": 12, "b": true}' },
  }),
  given("var-file-large-number", ["-var-file=v.json"], {
    messageParts: ["Error reading variables in 'v.json'", "number"],
    files: { "v.json": '{"a": 123456789, "b": 1.25}' },
  }),
  given("var-file-list", ["-var-file=v.json"], {
    files: { "v.json": { a: ["x"] } },
    messageParts: ["a"],
  }),
  given("var-file-undeclared", ["-var-file=v.json"], {
    files: { "v.json": { zzz: "x" } },
  }),
  given("var-file-a-list", ["-var-file=v.json"], {
    files: { "v.json": [] },
    messageParts: ["v.json"],
  }),
  given("var-file-text-behind", ["-var-file=v.json"], {
    files: { "v.json": '{"a":"x"} y' },
    differs: {
      why: "text-behind-variables",
      ok: false,
      messageParts: ["v.json"],
      files: [],
    },
  }),
  given("var-file-comments", ["-var-file=v.json"], {
    files: { "v.json": { _comment: "x", a: "y" } },
  }),
  {
    name: "var-required",
    template: shown({ a: null }, "{{user `a`}}"),
    args: validate(),
    messageParts: ["a", "required", "not set"],
  },
  {
    name: "var-required-given",
    template: shown({ a: null }, "{{user `a`}}"),
    args: build("-var=a=x"),
  },
  {
    name: "var-required-given-empty",
    template: shown({ a: null }, "[{{user `a`}}]"),
    args: build("-var=a="),
  },
  {
    name: "var-of-var",
    template: shown(
      { c: "{{user `b`}}!", b: "{{user `a`}}?", a: "x" },
      "{{user `c`}}",
    ),
  },
  {
    name: "var-cycle",
    template: shown({ a: "{{user `b`}}", b: "{{user `a`}}" }, "{{user `a`}}"),
    args: validate(),
    messageParts: ["a", "b"],
  },
  {
    name: "var-env",
    template: shown(
      { a: "{{env `PARITY_A`}}", b: "[{{env `PARITY_UNSET`}}]" },
      "{{user `a`}}{{user `b`}}",
    ),
    env: { PARITY_A: "from the environment" },
  },
  {
    name: "var-env-elsewhere",
    template: shown({}, "{{env `HOME`}}"),
    args: validate(),
    messageParts: ["env vars are not allowed here"],
  },
  {
    name: "var-unknown",
    template: shown({ abc: "x" }, "{{user `abd`}}"),
    args: validate(),
  },
  {
    name: "var-numbers",
    messageParts: ["variable a", "expected type 'string'"],
    template: shown(
      { a: 5, b: true, c: 1.5 },
      "{{user `a`}} {{user `b`}} {{user `c`}}",
    ),
  },
  {
    name: "var-large-number",
    messageParts: ["variable a", "expected type 'string'"],
    template: shown({ a: 12345678901 }, "{{user `a`}}"),
  },
  {
    name: "var-list",
    template: shown({ a: ["x"] }, "{{user `a`}}"),
    args: validate(),
    messageParts: ["a"],
  },
  {
    name: "vars-a-list",
    template: { variables: ["a"], builders: [nothing()] },
    args: validate(),
    messageParts: ["variables"],
  },
  {
    name: "var-in-every-place",
    template: {
      variables: { n: "x", t: "a.txt", d: "1ms", ok: "0" },
      builders: [aFile({ name: "b-{{user `n`}}", target: "{{user `t`}}" })],
      provisioners: [
        local("exit {{user `ok`}}", { valid_exit_codes: ["{{user `ok`}}"] }),
      ],
      "post-processors": [{ type: "checksum", output: "{{user `n`}}.sum" }],
    },
  },
  {
    name: "var-in-type",
    template: {
      variables: { t: "file" },
      builders: [{ type: "{{user `t`}}", content: "x", target: "x" }],
    },
    args: validate(),
    messageParts: ["builder"],
  },
  {
    name: "sensitive",
    differs: {
      why: "sensitive-hidden",
      ok: true,
      messageParts: ["it is <sensitive>"],
    },
    template: {
      variables: { secret: "hunter2" },
      "sensitive-variables": ["secret"],
      builders: [aFile({ content: "{{user `secret`}}" })],
      provisioners: [
        local("echo it is {{user `secret`}}, hidden"),
        local("echo hunter2 >&2"),
      ],
    },
  },
  {
    name: "sensitive-undeclared",
    template: { "sensitive-variables": ["nope"], builders: [aFile()] },
  },
  {
    name: "var-env-with-braces",
    template: shown({ a: "{{env `PARITY_A`}}" }, "{{user `a`}}"),
    env: { PARITY_A: "a {{ b" },
    differs: {
      why: "braces-in-values",
      ok: true,
      messageParts: ["a.txt"],
      files: ["a.txt"],
    },
  },
  {
    name: "var-env-with-a-template",
    template: shown({ a: "{{env `PARITY_A`}}" }, "{{user `a`}}"),
    env: { PARITY_A: "{{upper `x`}} {{.Field}}" },
  },
  {
    name: "inspect-sensitive-required",
    template: {
      variables: { a: "shown", z: null, y: "x" },
      "sensitive-variables": ["z", "y", "undeclared"],
      builders: [nothing()],
    },
    args: inspect,
  },
  {
    name: "inspect-variables",
    template: {
      variables: {
        b: "default",
        a: null,
        secret: "hunter2",
        c: "{{env `HOME`}}",
      },
      "sensitive-variables": ["secret"],
      builders: [nothing()],
    },
    args: inspect,
  },
];
