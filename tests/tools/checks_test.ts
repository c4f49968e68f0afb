// The checks of `deno task check` detect violations.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { faultOf } from "../../tools/check_layers.ts";
import { parsePage } from "../../tools/check_links.ts";
import { fillTables } from "../../plugin/testing/option_tables.ts";
import { tuningNumbersOf } from "../../tools/tuning_numbers.ts";

const at = (from: string, to: string) => faultOf({ from, to, line: 7 });

Deno.test("the layers allow imports within a directory and from lower ones", () => {
  assertEquals(at("host/plan/plan.ts", "host/plan/build_plan.ts"), undefined);
  assertEquals(at("host/cli/flags.ts", "plugin/common/version.ts"), undefined);
  assertEquals(at("cli.ts", "host/cli/registry.ts"), undefined);
  assertEquals(at("mod.ts", "plugin/sdk/serve.ts"), undefined);
});

Deno.test("a plugin with a separate executable imports the public modules, and other code does not", () => {
  const program = "plugin/builders/qemu/main.ts";
  assertEquals(at(program, "mod.ts"), undefined);
  assertEquals(at(program, "plugin/builder/mod.ts"), undefined);
  assert(at(program, "plugin/builders/other/main.ts"));
  assert(at("plugin/bundled/components.ts", "mod.ts"));
});

Deno.test("the layers refuse imports from higher ones, with the place", () => {
  const fault = at("plugin/rpc/message_encoder.ts", "plugin/sdk/serve.ts")!;
  assert(fault.startsWith("plugin/rpc/message_encoder.ts:7: "), fault);
  assertStringIncludes(fault, "plugin/sdk/serve.ts");
  assertStringIncludes(fault, "lower layers only");
  assert(at("plugin/sdk/serve.ts", "host/log/log.ts"));
  assert(at("plugin/rpc/message_encoder.ts", "plugin/contract/ui.ts"));
  assert(at("plugin/rpc/message_encoder.ts", "mod.ts"));
  assertStringIncludes(
    at("host/new/file.ts", "host/log/log.ts")!,
    "host/new has no layer",
  );
});

Deno.test("parsePage() returns the anchors of headings, but not those in code blocks", () => {
  const { anchors, lines } = parsePage([
    "# How it's made: `serve()`",
    "## Limits",
    "```sh",
    "# a comment, [not a link](nowhere.md)",
    "```",
    "## Limits",
    "## See [the wire](protocol.md)",
  ].join("\n"));
  assertEquals([...anchors], [
    "how-its-made-serve",
    "limits",
    "limits-1",
    "see-the-wire",
  ]);
  assertEquals(lines[3], "");
});

Deno.test("tuningNumbersOf() reads documented constants with their values and reasons", () => {
  const source = [
    "/** How long it spins, in milliseconds. */",
    "const SPIN_MS = 0.05;",
    "/**",
    " * Large pieces: fewer",
    " * writes.",
    " */",
    "export const PIECE_BYTES: number = 4 * 64 * 1024;",
    "const SAME_COMMENT = 3;",
    "",
    "const NOR_THIS = 4;",
    "/** A list. */",
    "const LIST = [1];",
  ].join("\n");
  assertEquals(tuningNumbersOf("x.ts", source), [
    {
      name: "SPIN_MS",
      value: 0.05,
      file: "x.ts",
      why: "How long it spins, in milliseconds.",
    },
    {
      name: "PIECE_BYTES",
      value: 262_144,
      file: "x.ts",
      why: "Large pieces: fewer writes.",
    },
    {
      name: "SAME_COMMENT",
      value: 3,
      file: "x.ts",
      why: "Large pieces: fewer writes.",
    },
  ]);
});

Deno.test("fillTables() writes options as they are declared, in place of what was there", async () => {
  const declared = {
    a: {
      type: "duration",
      default: 90_000,
      description: "How long | how often.",
    },
    bc: {
      type: "string",
      required: true,
      oneOf: ["x", "y"],
      description: "`x` only.",
    },
  } as const;
  const page = (table: string) =>
    `# Page\n<!-- options: plugin/x.ts xOptions -->\n${table}<!-- end of the options -->\nend\n`;
  const asked: string[][] = [];
  const { text, modules } = await fillTables(
    page("| an old table |\n"),
    (...names) => {
      asked.push(names);
      return Promise.resolve(declared);
    },
  );
  assertEquals(asked, [["plugin/x.ts", "xOptions"]]);
  assertEquals(modules, ["plugin/x.ts"]);
  const table = [
    "| option | type     | default   | description                |",
    "| ------ | -------- | --------- | -------------------------- |",
    '| `a`    | duration | `"1m30s"` | How long \\| how often.     |',
    "| `bc`   | string   | required  | `x` only. One of `x`, `y`. |",
  ];
  assertEquals(text, page(`\n${table.join("\n")}\n\n`));
});
