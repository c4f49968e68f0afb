// Templates yield what Packer's do, are refused where Packer refuses them, and
// cannot cost more than their length warrants.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  evaluate,
  interpolate,
  type InterpolationContext,
  InterpolationError,
  mayInterpolate,
  parse,
  PLACEHOLDER_MESSAGE,
  validateTemplate,
} from "../../plugin/interpolate/mod.ts";
import { formatTime } from "../../plugin/interpolate/go_time.ts";
import { sprintf } from "../../plugin/interpolate/printf.ts";
import { Float } from "../../plugin/interpolate/values.ts";
import {
  floats,
  layouts,
  recordedAt,
  refusals,
  results,
  userVariables,
  withData,
} from "./cases.ts";
import { missing, skippable } from "../support/programs.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { workingTime } from "../support/working_time.ts";

const context: InterpolationContext = { userVariables, initTime: recordedAt };

function refusal(text: string, context: InterpolationContext = {}) {
  return assertThrows(() => interpolate(text, context), InterpolationError);
}

for (const [group, rows] of Object.entries(results)) {
  Deno.test(`interpolate() yields what Packer does: ${group}`, () => {
    for (const [template, result] of rows) {
      assertEquals(interpolate(template, context), result, template);
    }
  });
}

Deno.test("interpolate() yields what Go does with a template's data", () => {
  for (const [template, data, result] of withData) {
    assertEquals(interpolate(template, { data }), result, template);
  }
});

Deno.test("interpolate() refuses what Packer refuses, in its words", () => {
  for (const [template, words] of refusals) {
    const { message } = refusal(template, context);
    assert(
      message.includes(words),
      `${template}: "${message}" has no "${words}"`,
    );
  }
});

Deno.test("{{isotime}} writes every layout as Go does", () => {
  for (const [layout, result] of layouts) {
    assertEquals(formatTime(recordedAt, layout), result, layout);
  }
});

Deno.test("{{printf}} rounds and shortens numbers as Go does", () => {
  for (const [value, format, result] of floats) {
    const written = sprintf(format, [new Float(value)]);
    assertEquals(written, result, `${format} of ${value}`);
  }
});

Deno.test("an InterpolationError has the position and what to do", () => {
  const unknown = refusal("first\nüber 😀 {{ foo }}");
  assertEquals([unknown.line, unknown.column, unknown.offset], [2, 11, 17]);
  assertEquals(
    unknown.message,
    'line 2, column 11: function "foo" not defined; a user variable is {{user `foo`}}, a field {{.foo}}',
  );
  const call = refusal("a {{print (upper 1)}}");
  assertEquals(
    call.message,
    "line 1, column 18, at <1>: expected string; found 1",
  );
  assertEquals(call.reason, "expected string; found 1");
  const open = refusal("{{if 1}}\n{{range .}}\n");
  assertEquals([open.line, open.column], [3, 1]);
  assert(open.message.includes("the block that began in line 2"), open.message);
});

Deno.test("{{env}} reads the environment only where it is offered", () => {
  const env = (name: string) => name === "SET" ? "value" : undefined;
  assertEquals(
    interpolate("{{env `SET`}}|{{env `UNSET`}}|", { env }),
    "value||",
  );
  const { message } = refusal("{{env `SET`}}", { userVariables });
  assert(message.includes("env vars are not allowed here"), message);
  assert(message.includes("{{user `SET`}}"), message);
});

Deno.test("{{user}} of a variable that is not set fails among the variables", () => {
  const env = () => undefined;
  assertEquals(interpolate("{{user `name`}}", { env, userVariables }), "hello");
  const { message } = refusal("{{user `nope`}}", { env, userVariables });
  assert(message.includes("variable not set: nope"), message);
  assert(refusal("{{user `a`}}").message.includes("not available here"));
});

Deno.test("{{build}} returns known values, and a field for values that are not known yet", () => {
  const build = {
    ID: "i-1",
    Port: 22,
    Host: `Build_Host. ${PLACEHOLDER_MESSAGE}`,
  };
  const text = "{{build `ID`}} {{build `Port`}} {{build `Host`}}";
  assertEquals(interpolate(text, { build }), "i-1 22 {{.Host}}");
  assertEquals(interpolate(text, { data: build }), "i-1 22 {{.Host}}");
  const data = new Map(Object.entries(build));
  assertEquals(interpolate(text, { data }), "i-1 22 {{.Host}}");
  const { message } = refusal("{{build `Nope`}}", { build });
  assert(message.includes("could not find Nope in it"), message);
  assert(refusal("{{build `toString`}}", { build }).message.includes("find"));
});

Deno.test("a build's names, version and directory are written where they are known", () => {
  const text =
    "{{build_name}} {{build_type}} {{packer_version}} {{template_dir}} {{pwd}}";
  const known = {
    buildName: "web",
    buildType: "null",
    coreVersion: "1.2.3",
    templatePath: "/a/b/../c/t.json",
    pwd: () => "/elsewhere",
  };
  assertEquals(interpolate(text, known), "web null 1.2.3 /a/c /elsewhere");
  assertEquals(interpolate("{{pwd}}", {}), Deno.cwd());
  const here = interpolate("{{template_dir}}", { templatePath: "t.json" });
  assertEquals(here, Deno.cwd());
  const { message } = refusal("{{template_dir}}");
  assert(message.includes("template path not available"), message);
});

Deno.test("{{timestamp}} and {{isotime}} are of one moment for a whole run", () => {
  const text = "{{timestamp}} {{isotime}} {{strftime `%H:%M:%S%L`}}";
  assertEquals(
    interpolate(text, context),
    "1614834367 2021-03-04T05:06:07Z 05:06:07.089",
  );
  assertEquals(interpolate(text, {}), interpolate(text, {}));
  assert(
    Math.abs(Number(interpolate("{{timestamp}}", {})) - Date.now() / 1000) <
      600,
  );
});

Deno.test("{{uuid}} differs each time and begins with the time", () => {
  const [first, second] = interpolate("{{uuid}} {{uuid}}", {}).split(" ");
  assert(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(first!), first);
  assert(first !== second);
  const seconds = parseInt(first!.slice(0, 8), 16);
  assert(Math.abs(seconds - Date.now() / 1000) < 60);
  assertEquals(interpolate("{{uuid}}", { uuid: () => "fixed" }), "fixed");
});

Deno.test("functions of other kinds of Packer templates exist, or explain why they cannot be used", () => {
  assertEquals(
    interpolate('{{join "-" .a "z"}}', { data: { a: [1, "x"] } }),
    "1-x-z",
  );
  assertEquals(interpolate('{{clean_resource_name "a b/ü"}}', {}), "a-b--");
  for (
    const call of ["consul_key `a`", "vault `a` `b`", "aws_secretsmanager `a`"]
  ) {
    const { message } = refusal(`{{${call}}}`, { env: () => "" });
    assert(message.includes("baler does not support"), message);
    assert(message.includes("-var"), message);
  }
});

Deno.test("a context's own functions are added, and take precedence over the others", () => {
  const functions = {
    double: (value: unknown) => `${value}${value}`,
    upper: () => "mine",
    fail: () => {
      throw new TypeError("did not work");
    },
  };
  assertEquals(
    interpolate("{{upper}} {{`a` | double}}", { functions }),
    "mine aa",
  );
  validateTemplate("{{double 1}}", { functions });
  const error = refusal("{{fail}}", { functions });
  assert(error.message.includes("error calling fail: did not work"));
  assert(error.cause instanceof TypeError);
});

Deno.test("validateTemplate() accepts what cannot be evaluated yet", () => {
  validateTemplate("no braces");
  validateTemplate("{{build `ID`}} {{.Vars}} {{env `X`}} {{template_dir}}");
  assertThrows(() => validateTemplate("{{nope}}"), InterpolationError, "nope");
});

Deno.test("evaluate() evaluates a parsed template any number of times", () => {
  const template = parse(
    "{{define `x`}}<{{.}}>{{end}}{{range .}}{{template `x` .}}{{end}}",
  );
  assertEquals(evaluate(template, { data: [1, 2] }), "<1><2>");
  assertEquals(evaluate(template, { data: ["a"] }), "<a>");
});

Deno.test("mayInterpolate() distinguishes strings with and without actions", () => {
  assertEquals(["", "{ {", "a{{", "}}"].map(mayInterpolate), [
    false,
    false,
    true,
    false,
  ]);
});

Deno.test("a field that is missing is <no value> in a map, an error in an instance", () => {
  class Paths {
    Path = "/tmp/x";
  }
  assertEquals(interpolate("{{.Path}}", { data: new Paths() }), "/tmp/x");
  const instance = refusal("{{.Vars}}", { data: new Paths() });
  assert(
    instance.message.includes(
      "can't evaluate field Vars in type Paths; there are .Path",
    ),
  );
  assertEquals(interpolate("{{.Vars}}", { data: { Path: 1 } }), "<no value>");
  const strict = refusal("{{.Vars}}", { data: { Path: 1 }, strict: true });
  assert(
    strict.message.includes('map has no entry for key "Vars"; there are .Path'),
  );
  const nil = refusal("{{.a.b}}", { data: { a: null } });
  assert(nil.message.includes("nil pointer evaluating b"), nil.message);
});

Deno.test("values of JavaScript print as their likes in Go", () => {
  const data = {
    date: new Date(0),
    url: new URL("http://h/p"),
    error: new TypeError("oops"),
    set: new Set([1, 2]),
    map: new Map<unknown, unknown>([[10, "ten"], [9, "nine"]]),
    bytes: new Uint8Array([104, 105]),
    big: 2n ** 70n,
    huge: 1e300,
    nan: NaN,
    nothing: undefined,
    text: "a",
  };
  const shown = (field: string, verb = "%v") =>
    interpolate(`{{printf "${verb}" .${field}}}`, { data });
  assertEquals(shown("date"), "1970-01-01 00:00:00 +0000 UTC");
  assertEquals(shown("url"), "http://h/p");
  assertEquals(shown("error"), "oops");
  assertEquals(shown("set"), "[1 2]");
  assertEquals(shown("map"), "map[9:nine 10:ten]");
  assertEquals([shown("bytes"), shown("bytes", "%s")], ["[104 105]", "hi"]);
  assertEquals(shown("big"), "1180591620717411303424");
  assertEquals([shown("huge"), shown("nan")], ["1e+300", "NaN"]);
  assertEquals(shown("nothing"), "<nil>");
});

Deno.test("no template reaches a prototype", () => {
  const data = { a: {}, list: [1], text: "x" };
  for (
    const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]
  ) {
    assertEquals(interpolate(`{{.${name}}}`, { data }), "<no value>");
    assertEquals(interpolate(`{{.a.${name}}}`, { data }), "<no value>");
    assertEquals(interpolate(`{{index . "${name}"}}`, { data }), "<no value>");
    refusal(`{{.list.${name}}}`, { data });
    refusal(`{{.text.${name}}}`, { data });
    refusal(`{{${name}}}`, { data });
    refusal(`{{template "${name}"}}`, { data });
    assertEquals(interpolate(`{{user "${name}"}}`, { userVariables }), "");
    refusal(`{{${name}}}`, { functions: {} });
  }
  refusal("{{.list.length}}", { data });
  const own = JSON.parse('{"__proto__": {"x": 1}}');
  assertEquals(interpolate("{{.__proto__.x}}", { data: own }), "1");
});

Deno.test("deep nesting is refused, not a crash", () => {
  const many = 100_000;
  const deep = [
    `{{${"(".repeat(many)}1${")".repeat(many)}}}`,
    `${"{{if 1}}".repeat(many)}${"{{end}}".repeat(many)}`,
    `${"{{range .}}".repeat(many)}`,
    `${"{{block `a` 1}}".repeat(many)}`,
    "{{define `a`}}{{template `a`}}{{end}}{{template `a`}}",
    "{{define `a`}}{{if 1}}{{template `a` .}}{{end}}{{end}}{{template `a`}}",
  ];
  for (const text of deep) {
    const { message } = refusal(text);
    assert(/nest(ed)? more than \d+ levels/.test(message), message);
  }
  assertEquals(
    interpolate(`{{${"(".repeat(90)}1${")".repeat(90)}}}`, {}),
    "1",
  );
  const fields = ".a".repeat(many);
  assertEquals(interpolate(`{{${fields}}}`, { data: {} }), "<no value>");
  const branches = "{{else if 0}}".repeat(10_000);
  assertEquals(interpolate(`{{if 0}}${branches}{{else}}x{{end}}`, {}), "x");
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  assert(refusal("{{.}}", { data: cyclic }).message.includes("nested more"));
});

Deno.test("a template that would write or work without end is refused", () => {
  const data = Array.from({ length: 100 }, () => 0);
  const loops = "{{range $}}".repeat(20) + "{{end}}".repeat(20);
  assert(refusal(loops, { data }).message.includes("steps"));
  const twice = "{{define `a`}}{{template `b`}}{{template `b`}}{{end}}";
  const chain = Array.from(
    { length: 60 },
    (_, i) => twice.replace("`a`", `"t${i}"`).replaceAll("`b`", `"t${i + 1}"`),
  );
  const text = `${chain.join("")}{{define "t60"}}{{end}}{{template "t0"}}`;
  assert(refusal(text).message.includes("steps"));
  const doubling = `{{$x := "0123456789"}}${"{{$x = print $x $x}}".repeat(60)}`;
  assert(refusal(doubling).message.includes("longer than"));
  // Each printf is one step, but reads and writes millions of characters.
  const large = `{{$x := "${"0".repeat(64)}"}}` +
    '{{$x = printf "%s%s" $x $x}}'.repeat(17) + "{{$y := lower $x}}".repeat(99);
  assert(refusal(large).message.includes("steps"));
  const shared = { data: "x".repeat(10_000_000), budget: { steps: 0 } };
  interpolate("{{len $}}", shared);
  assert(shared.budget.steps > 10_000_000 / 100);
  const growing = '{{replace_all "" $ $}}';
  refusal(growing, { data: "x".repeat(100_000) });
  const wide = interpolate(
    '{{printf "%999999999999d|%*d" 1 1000000000 2}}',
    {},
  );
  assert(wide.includes("BADWIDTH") && wide.length < 100);
});

Deno.test("a string of 16 MiB is interpolated, or too long", () => {
  const length = 16 * 1024 * 1024;
  const strings = {
    ascii: "a".repeat(length),
    escaped: "<".repeat(length),
    accented: "é".repeat(length / 4),
    pairs: "😀".repeat(length / 8),
    mixed: 'aé\u0001"'.repeat(length / 16),
  };
  const calls = [
    "upper $",
    "lower $",
    "html $",
    "js $",
    "urlquery $",
    "clean_resource_name $",
    "len $",
    'printf "%q" $',
    'printf "%x" $',
    'printf "%20s" $',
    'printf "%.9s" $',
    'replace_all "a" "b" $',
    'replace_all "a" "bbb" $',
    'replace "" "-" 3 $',
    'split $ "" 1500000',
    'join "," $ "b"',
    "println $ 1",
    "index $ 5",
    "slice $ 0 2",
    "eq $ 1",
  ];
  for (const [name, data] of Object.entries(strings)) {
    for (const call of calls) {
      try {
        interpolate(`{{${call}}}`, { data });
      } catch (error) {
        assert(error instanceof InterpolationError, `${name} ${call}`);
        assert(
          /longer than|more than|were found|incompatible/.test(error.message),
          `${name} ${call}: ${error.message.slice(0, 500)}`,
        );
      }
    }
  }
  assertEquals(interpolate(`${strings.ascii}{{1}}`, {}).length, length + 1);
  const { column } = refusal(`${strings.pairs}{{nope}}`);
  assertEquals(column, length / 8 + 3);
});

Deno.test("long strings are cut and mapped by characters", () => {
  // Chunks of 64 Ki units must not split a surrogate pair, nor lose characters at their ends.
  const data = `${"x".repeat(65_535)}😀é${"<".repeat(65_536)}ß`;
  const html = interpolate("{{html $}}", { data });
  assertEquals(html, data.replaceAll("<", "&lt;"));
  assertEquals(
    interpolate("{{upper $}}", { data }),
    `${"X".repeat(65_535)}😀É${"<".repeat(65_536)}ß`,
  );
  assertEquals(interpolate("{{lower $}}", { data: "ΑΣ İ" }), "ασ i");
  assertEquals(interpolate('{{printf "%.2s" $}}', { data: "😀é<" }), "😀é");
  assertEquals(interpolate('{{printf "%# x" $}}', { data: "ab" }), "0x61 0x62");
  assertEquals(interpolate('{{replace "" "-" 2 $}}', { data: "😀b" }), "-😀-b");
  assertEquals(
    interpolate('{{replace "" "-" 9 $}}', { data: "😀b" }),
    "-😀-b-",
  );
  assertEquals(interpolate('{{split $ "," 2}}', { data: "a,b," }), "");
});

Deno.test("a megabyte is interpolated within seconds, whatever its shape", () => {
  const shapes: Record<string, (length: number) => string> = {
    "plain text": (length) => "x".repeat(length),
    "open braces": (length) => `${"{ ".repeat(length / 2)}{{1}}`,
    actions: (length) => "{{user `name`}} ".repeat(length / 16),
    "a string": (length) => `{{"${"\\n".repeat(length / 2)}"}}`,
    "a number": (length) => `{{1.${"0".repeat(length)}}}`,
    arguments: (length) =>
      `{{print ${"1 ".repeat(500)}}}`.repeat(length / 1010),
    "a pipeline": (length) => `{{1${"|print".repeat(length / 6)}}}`,
    trimming: (length) => "x {{- 1 -}}  ".repeat(length / 13),
    "a comment": (length) => `{{/*${"* ".repeat(length / 2)}*/}}`,
    blanks: (length) => `a${" ".repeat(length)}{{- 1}}`,
    fields: (length) => `{{${".a".repeat(length / 2)}}}`,
    variables: (length) =>
      Array.from({ length: length / 16 }, (_, i) => `{{$v${i} := 1}}`)
        .join("") + "{{$v0}}".repeat(length / 16),
    branches: (length) =>
      `{{if 0}}${"{{else if 0}}".repeat(length / 13)}{{end}}`,
  };
  for (const [name, shape] of Object.entries(shapes)) {
    const text = shape(1_000_000);
    const start = workingTime();
    interpolate(text, { userVariables, data: {} });
    const taken = Math.round(workingTime() - start);
    assert(taken < 10_000, `${name} took ${taken} ms`);
  }
  const given = `{{print ${"1 ".repeat(500_000)}}}`;
  assert(refusal(given).message.includes("more than 1000 arguments"));
  const unclosed = "{{".repeat(500_000);
  assert(refusal(unclosed).message.includes('unexpected "{"'));
});

Deno.test({
  ...skippable(
    "interpolate() yields what the packer command yields",
    missing("packer"),
  ),
  async fn() {
    const rows = Object.values(results).flat().map(([template]) => template);
    const mark = "<%>";
    const written = await askPacker(["{{timestamp}}", ...rows, ""].join(mark));
    const [timestamp, ...theirs] = written.split(mark);
    assertEquals(theirs.length, rows.length + 1, written.slice(0, 1000));
    const initTime = new Date(Number(timestamp) * 1000);
    for (const [index, template] of rows.entries()) {
      const ours = interpolate(template, { userVariables, initTime });
      assertEquals(ours, theirs[index], template);
    }
  },
});

Deno.test({
  ...skippable(
    "interpolate() refuses what the packer command refuses",
    missing("packer"),
  ),
  async fn() {
    const lines = refusals.map(([template]) => template).join("\n");
    const [, ...theirs] = (await askPacker(lines)).split("Interpolation error");
    assertEquals(theirs.length, refusals.length);
    for (const [index, [template, words]] of refusals.entries()) {
      const message = theirs[index]!.replace(/\s+/g, " ");
      assert(
        message.includes(words),
        `${template}: "${message}" has no "${words}"`,
      );
    }
  },
});

// A template without components: only its variables matter.
async function askPacker(lines: string): Promise<string> {
  await using directory = await TemporaryDirectory.make();
  const builders = [{ type: "null", communicator: "none" }];
  const path = await directory.write(
    "template.json",
    JSON.stringify({ variables: userVariables, builders }),
  );
  const command = new Deno.Command("packer", {
    args: ["console", path],
    env: { CHECKPOINT_DISABLE: "1", HOME: directory.path, PACKER_LOG: "" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(lines + "\n"));
  await input.close();
  const { stdout } = await child.output();
  return new TextDecoder().decode(stdout).replace(/\n$/, "");
}
