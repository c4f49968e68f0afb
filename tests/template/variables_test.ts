// Variables: their precedence, the order of their interpolation, and the
// errors of variables without a value.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { selectBuilds } from "../../host/plan/select_builds.ts";
import type { BuildContext } from "../../plugin/contract/build_context.ts";
import { ConfigError } from "../../plugin/contract/config_error.ts";
import { decodeConfig } from "../../plugin/sdk/decode_config.ts";
import { SourceError } from "../../host/json/json_document.ts";
import { parseTemplate } from "../../host/template/template.ts";
import { undeclaredVariables } from "../../host/template/undeclared_variables.ts";
import {
  resolveVariables,
  type VariableOptions,
} from "../../host/template/variables.ts";
import { forEachHost } from "../support/harness.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { workingTime } from "../support/working_time.ts";

async function resolved(
  variables: Record<string, string | null>,
  options: VariableOptions = {},
  rest: Record<string, unknown> = {},
) {
  const template = await parseTemplate(
    JSON.stringify(
      { builders: [{ type: "null" }], variables, ...rest },
      null,
      2,
    ),
    "/srv/template.json",
  );
  return await resolveVariables(template, options);
}

async function refusal(
  variables: Record<string, string | null>,
  options: VariableOptions = {},
): Promise<string> {
  const error: Error = await assertRejects(
    () => resolved(variables, options),
    Error,
  );
  return error.message;
}

Deno.test("resolveVariables() prefers -var to -var-file, and the last to the first", async () => {
  await using directory = await TemporaryDirectory.make({
    "1.json": '{"a": "file 1", "b": "file 1", "c": "file 1", "e": "x"}',
    "2.json": '{"a": "file 2", "b": "file 2", "e": null, "undeclared": "u"}',
  });
  const { values } = await resolved(
    { a: "default", b: "default", c: "default", d: "default", e: "default" },
    {
      vars: [["a", "first"], ["a", "=second "]],
      varFiles: [
        join(directory.path, "1.json"),
        join(directory.path, "2.json"),
      ],
    },
  );
  assertEquals(values, {
    a: "=second ",
    b: "file 2",
    c: "file 1",
    d: "default",
    e: "",
    undeclared: "u",
  });
});

Deno.test("resolveVariables() resolves variables that refer to variables in any order", async () => {
  const { values } = await resolved(
    {
      all: "{{user `greeting`}}, {{user `name` | upper}}!",
      greeting: "Hello{{user `mark`}}",
      mark: "{{env `MARK`}}",
      name: "{{user `given`}}",
      dir: "{{template_dir}}",
    },
    {
      vars: [["given", "{{lower `ADA`}}"]],
      env: (name) => name === "MARK" ? "?" : undefined,
    },
  );
  assertEquals(values.all, "Hello?, ADA!");
  assertEquals(values.dir, "/srv");
});

Deno.test("resolveVariables() resolves a chain of variables of any length", async () => {
  const length = 5_000;
  const { values } = await resolved(
    Object.fromEntries(
      Array.from({ length }, (_, index) => [
        `v${index}`,
        index === length - 1 ? "end" : `{{user \`v${index + 1}\`}}`,
      ]),
    ),
  );
  assertEquals(values.v0, "end");
});

Deno.test("resolveVariables() takes time linear in the length of a value", async () => {
  const count = 20_000;
  const names = Array.from({ length: count }, (_, index) => `v${index}`);
  const all = names.map((name) => `{{user \`${name}\`}}`).join("");
  const start = workingTime();
  const { values } = await resolved({
    // It reads variables that are resolved after it.
    all,
    ...Object.fromEntries(names.map((name) => [name, "x"])),
    kept: "{{.a}}{{ .c }}",
  });
  assertEquals(values.all, "x".repeat(count));
  assertEquals(values.kept, "{{.a}}{{ .c }}");
  // Unclosed braces.
  await refusal({ fields: "{{.".repeat(300_000) });
  await refusal({ lines: "{{.a\n".repeat(200_000) });
  assert(workingTime() - start < 20_000);
});

Deno.test("resolveVariables() and selectBuilds() limit the cost of all strings of a template together", async () => {
  const text = `{{$x := "${"é".repeat(100_000)}"}}` +
    "{{$y := upper $x}}".repeat(50);
  const many = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => [`v${index}`, text]),
  );
  assertStringIncludes(await refusal(many), "more than 4000000 steps");
  const template = await parseTemplate(
    JSON.stringify({
      builders: Array.from({ length: 100 }, (_, index) => ({
        type: "null",
        name: `${text}${index}`,
      })),
    }),
    "/srv/template.json",
  );
  const error = assertThrows(() => selectBuilds(template, {}), SourceError);
  assertStringIncludes(error.message, "more than 4000000 steps");
});

Deno.test("decodeConfig() limits the cost of all strings of a configuration together", async () => {
  const text = `{{$x := "${"é".repeat(100_000)}"}}` +
    "{{$y := upper $x}}".repeat(50);
  const error = await assertRejects(
    () =>
      decodeConfig(
        { texts: Array.from({ length: 100 }, () => text) },
        undefined,
        { userVariables: {}, workingDirectory: "/" } as unknown as BuildContext,
        {},
      ),
    ConfigError,
  );
  assertStringIncludes(error.message, "more than 4000000 steps");
});

Deno.test("resolveVariables() resolves a name that occurs only in a branch that is not taken", async () => {
  // b reads a, but a does not evaluate its reference to b: no cycle.
  const { values } = await resolved({
    a: "{{if false}}{{user `b`}}{{end}}{{user `c`}}",
    b: "<{{user `a`}}>",
    c: "{{if false}}{{user `a`}}{{user `d`}}{{end}}C",
    d: "{{user `b`}}",
  });
  assertEquals(values, { a: "C", b: "<C>", c: "C", d: "<C>" });
});

Deno.test("resolveVariables() leaves a plugin's own fields for the plugin", async () => {
  const { values } = await resolved({
    command: "{{ .Vars }} {{.Path}} {{user `flag`}} {{ .Path }}",
    flag: "-x",
  });
  assertEquals(values.command, "{{ .Vars }} {{.Path}} -x {{ .Path }}");
});

Deno.test("resolveVariables() requires no value that a template does not evaluate", async () => {
  const { values } = await resolved({
    a: '{{if eq (user `mode`) "simple"}}A{{else}}{{user `a`}}{{end}}',
    mode: "simple",
  });
  assertEquals(values.a, "A");
});

Deno.test("resolveVariables() shows a cycle", async () => {
  const message = await refusal({
    fine: "x",
    before: "{{user `a`}}",
    a: "{{user `b`}}",
    b: "{{user `c`}}",
    c: "{{user `a`}}",
  });
  assertStringIncludes(
    message,
    '/srv/template.json:10:10: Failed to interpolate "a"',
  );
  assertStringIncludes(message, "it refers to itself, a -> b -> c -> a;");
  assert(!message.includes('interpolate "before"'), message);
  assertStringIncludes(await refusal({ a: "x{{user `a`}}" }), "a -> a");
});

Deno.test("resolveVariables() reports every missing required variable", async () => {
  const message = await refusal({ a: null, b: "x", c: null, d: null }, {
    vars: [["d", ""]],
  });
  assertStringIncludes(
    message,
    "/srv/template.json:8:5: required variable not set: a;",
  );
  assertStringIncludes(
    message,
    "/srv/template.json:10:5: required variable not set: c;",
  );
  assert(!message.includes("not set: d"), message);
});

Deno.test("resolveVariables() locates the error in a value that cannot be interpolated", async () => {
  assertStringIncludes(
    await refusal({ a: 'a "text" {{nope}}' }),
    "/srv/template.json:8:24: error interpolating default value for 'a': function \"nope\" not defined",
  );
  const unset = await refusal({ a: "{{user `zz`}}" });
  assertStringIncludes(unset, 'Failed to interpolate "a"');
  assertStringIncludes(unset, "variable not set: zz");
  assertStringIncludes(
    await refusal({}, { vars: [["a", "{{"]] }),
    "/srv/template.json: -var a: error interpolating default value for 'a': unclosed action",
  );
});

Deno.test("resolveVariables() locates the problems of a variable file", async () => {
  await using directory = await TemporaryDirectory.make({
    "number.json": '{\n  "a": "x",\n  "b": 2\n}',
    "comma.json": '{\n  "a": "x",\n}',
    "list.json": "[]",
    "twice.json": '{"a": "1", "a": "2"}',
  });
  const of = (name: string) =>
    refusal({}, { varFiles: [join(directory.path, name)] });
  assertStringIncludes(
    await of("number.json"),
    `number.json:3:8: Error reading variables in`,
  );
  assertStringIncludes(
    await of("number.json"),
    '"b" must be a string, not the number 2',
  );
  assertStringIncludes(await of("comma.json"), "comma.json:2:11: ");
  assertStringIncludes(
    await of("list.json"),
    "list.json:1:1: Error reading variables in",
  );
  assertStringIncludes(
    await of("nope.json"),
    "nope.json: no such file or directory",
  );
  const { values } = await resolved({}, {
    varFiles: [join(directory.path, "twice.json")],
  });
  assertEquals(values, { a: "2" });
});

Deno.test("resolveVariables() returns the sensitive names, and shows no sensitive value of -var", async () => {
  const { sensitive, values } = await resolved(
    { secret: "s" },
    {},
    { "sensitive-variables": ["secret"] },
  );
  assertEquals(sensitive, ["secret"]);
  assertEquals(values, { secret: "s" });
  const error: Error = await assertRejects(
    () =>
      resolved(
        { secret: null },
        { vars: [["secret", "hunter2{{user `secret`}}"]] },
        { "sensitive-variables": ["secret"] },
      ),
    SourceError,
  );
  assertStringIncludes(error.message, "-var secret: Failed to interpolate");
  assert(!error.message.includes("hunter2"), error.message);
});

Deno.test("resolveVariables() rejects a name that would change a prototype", async () => {
  assertStringIncludes(
    await refusal({}, { vars: [["__proto__", "x"]] }),
    'a variable cannot be named "__proto__"',
  );
});

// Undeclared variables

async function undeclared(
  template: Record<string, unknown>,
): Promise<string | undefined> {
  const text = JSON.stringify(
    { variables: { file: "f", image: "i" }, ...template },
    null,
    2,
  );
  const parsed = await parseTemplate(text, "/srv/template.json");
  const { values } = await resolveVariables(parsed);
  return await undeclaredVariables(parsed, values);
}

Deno.test("an undeclared variable is reported with its position, wherever it is used", async () => {
  const text = await undeclared({
    builders: [{
      type: "null",
      comment: '\t{{user `file`}} {{ .Name | upper }} {{user "flie" | upper}}',
    }],
    provisioners: [{ type: "shell", environment_vars: ["A={{user `other`}}"] }],
    "post-processors": [[{ type: "manifest", output: "{{user `imagee`}}" }]],
  });
  assertEquals(
    text!.split("\n").filter((line) => line.startsWith("/srv")),
    [
      '/srv/template.json:9:66: undeclared variable "flie", which is empty; did you mean "file"?',
      '/srv/template.json:16:20: undeclared variable "other", which is empty; declare it in the template\'s variables',
      '/srv/template.json:24:28: undeclared variable "imagee", which is empty; did you mean "image"?',
    ],
  );
});

Deno.test("text that only looks like the use of a variable is not reported as undeclared", async () => {
  const text = await undeclared({
    description: "{{user `nobody`}}",
    builders: [{
      type: "null",
      comment: "user `nobody` {{user `file`}} {{.user}} {{build `user`}}",
    }],
  });
  assertEquals(text, undefined);
});

forEachHost(
  "mistakes that Packer ignores silently are warnings, except in machine-readable output",
  async (bench) => {
    await bench.write("t.json", {
      builders: [{ type: "file", content: "{{user `x`}}.", target: "out" }],
    });
    const warned = await bench.succeeds([
      "build",
      "-only=fil*,nobody",
      "t.json",
    ]);
    assertStringIncludes(
      warned.stdout,
      'Warning: no build or post-processor matches "nobody" (-only/-except).',
    );
    assertStringIncludes(
      warned.stdout,
      'undeclared variable "x", which is empty',
    );
    assertEquals(await Deno.readTextFile(bench.at("out")), ".");
    for (
      const args of [
        ["validate", "-machine-readable", "t.json"],
        ["validate", "-var", "x=1", "t.json"],
      ]
    ) {
      const { output } = await bench.succeeds(args);
      assert(!output.includes("undeclared variable"), output);
    }
  },
);
