// The options of a plugin in `PLUGIN describe`, `baler schema` and `baler help KIND NAME`.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { fromFileUrl } from "@std/path";
import { forEachHost, type Workspace } from "../support/harness.ts";

const main = fromFileUrl(new URL("../testing/main.ts", import.meta.url));
const COMMAND = [
  Deno.execPath(),
  "run",
  "--quiet",
  "--no-prompt",
  "--allow-all",
  main,
];

async function templateOf(
  bench: Workspace,
  command: readonly string[] = COMMAND,
): Promise<void> {
  await bench.write("template.json", {
    plugins: {
      builders: { mirror: command },
      provisioners: { "a/b ~ c": command },
    },
    builders: [{ type: "mirror", file: "a" }],
  });
}

forEachHost(
  "baler schema has the options of a template's plugins",
  async (bench) => {
    await templateOf(bench);
    const { stdout, stderr } = await bench.succeeds([
      "schema",
      "template.json",
    ]);
    assertEquals(stderr, "");
    const { $defs } = JSON.parse(stdout);
    const mirror = $defs["builder-mirror"];
    assertEquals(mirror.required, ["file"]);
    assertEquals(mirror.properties.size.description, "A size.");
    assertEquals(mirror.properties.size.default, 5);
    assertEquals(mirror.additionalProperties, false);
    // A name is escaped in a reference.
    const references = $defs.provisioner.allOf.map((
      { then }: { then: { $ref: string } },
    ) => then.$ref);
    assert(references.includes("#/$defs/provisioner-a~1b%20~0%20c"));
    // It declares no options.
    assertEquals($defs["provisioner-a/b ~ c"].additionalProperties, undefined);
    // The bundled components are included, with a template and without.
    const alone = JSON.parse((await bench.succeeds(["schema"])).stdout);
    assertEquals($defs["builder-file"], alone.$defs["builder-file"]);
    assertEquals(alone.$defs["builder-mirror"], undefined);
  },
);

forEachHost(
  "baler schema continues without the options of a plugin that cannot be described",
  async (bench) => {
    await templateOf(bench, ["sh", "-c", "echo broken >&2; exit 3"]);
    const { stdout, stderr } = await bench.succeeds([
      "schema",
      "template.json",
    ]);
    const { $defs } = JSON.parse(stdout);
    assertEquals($defs["builder-mirror"].additionalProperties, undefined);
    assertMatch(
      stderr,
      /^Warning: the options of sh -c .* are not known: .*exited with code 3/m,
    );
  },
);

forEachHost(
  "baler help KIND NAME shows the options of a component",
  async (bench) => {
    await bench.write("config.json", {
      builders: { mirror: COMMAND },
      provisioners: { motd: COMMAND },
    });
    const env = { BALER_CONFIG: bench.at("config.json") };
    const help = async (...words: string[]) =>
      (await bench.succeeds(["help", ...words], { env })).stdout;
    const bundled = await help("builder", "file");
    assertStringIncludes(bundled, "The builder file: ");
    assertMatch(bundled, /^ {2}target +The path of the file.*\(string\)$/m);
    const mirror = await help("builder", "mirror");
    assertMatch(
      mirror,
      /^ {2}file +The file to write\. \(string, required\)$/m,
    );
    assertMatch(mirror, /^ {2}size +A size\. \(number, default 5\)$/m);
    assertStringIncludes(
      await help("provisioner", "motd"),
      "It declares no options",
    );
    const unknown = await bench.baler(["help", "builder", "miror"], { env });
    assertEquals(unknown.code, 1);
    assertStringIncludes(unknown.output, 'did you mean "mirror"?');
    for (const words of [["kind", "name"], ["builder", "a", "b"]]) {
      assertEquals((await bench.baler(["help", ...words])).code, 2);
    }
  },
);

Deno.test("PLUGIN describe prints the JSON Schema of each component's options", async () => {
  const { stdout } = await new Deno.Command(COMMAND[0]!, {
    args: [...COMMAND.slice(1), "describe"],
  }).output();
  const { options } = JSON.parse(new TextDecoder().decode(stdout));
  assertEquals(Object.keys(options), ["builder", "post-processor"]);
  assertEquals(options.builder[""].required, ["file"]);
  assertEquals(options.builder[""].properties.size.default, 5);
});

Deno.test("PLUGIN describe continues when a component cannot be created", async () => {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  const mod = new URL("../../mod.ts", import.meta.url);
  await Deno.writeTextFile(
    path,
    `import { serve } from "${mod}";
     serve({
       builder: { bad: () => { throw new Error("no luck"); } },
       provisioner: { odd: () => ({ options: { a: { type: "text" } } }) },
     });`,
  );
  const { code, stdout, stderr } = await new Deno.Command(COMMAND[0]!, {
    args: ["run", "--quiet", "--allow-all", "--no-check", path, "describe"],
  }).output();
  const decoder = new TextDecoder();
  await Deno.remove(path);
  assertEquals(code, 0);
  const { components, options } = JSON.parse(decoder.decode(stdout));
  assertEquals(components.builder, ["bad"]);
  assertEquals(options, {});
  const told = decoder.decode(stderr);
  assertStringIncludes(told, 'of the builder "bad" are left out: no luck');
  assertStringIncludes(told, 'of the provisioner "odd" are left out: ');
});
