// `baler schema`: it accepts the templates that baler accepts, rejects those that baler rejects, and has every
// option of every bundled plugin in it.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseJsonDocument } from "../../host/json/json_document.ts";
import { templateSchema } from "../../host/schema/template_schema.ts";
import { ROOT_KEYS } from "../../host/template/root.ts";
import { parseTemplate } from "../../host/template/template.ts";
import { BUNDLED } from "../../plugin/bundled/components.ts";
import type { Options } from "../../plugin/contract/options.ts";
import { assertForPeople, forEachHost } from "../support/harness.ts";
import { violations } from "../support/json_schema.ts";

// deno-lint-ignore no-explicit-any
const schema = templateSchema(await bundledComponents()) as any;

async function bundledComponents() {
  return await Promise.all(
    Object.entries(BUNDLED).flatMap(([kind, byName]) =>
      Object.entries(byName).map(async ([name, load]) => {
        const { default: Component } = await load();
        const { options } = new Component() as { options?: Options };
        return { kind, name, options };
      })
    ),
  );
}

const fixtures = new URL("../fixtures/templates/", import.meta.url);

/** Templates that no schema can reject, and files that are not JSON. */
const beyond = [
  "builder-name-twice.json",
  "duplicate-key-deep.json",
  "duplicate-key.json",
];

for (const { name } of [...Deno.readDirSync(fixtures)].sort(byName)) {
  const text = Deno.readTextFileSync(new URL(name, fixtures));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    continue;
  }
  Deno.test(`the schema says of ${name} what baler says of its form`, async () => {
    const isTaken = await parseTemplate(text, name, { syntaxOnly: true })
      .then(() => true, () => false);
    const found = violations(schema, value);
    if (beyond.includes(name)) assertEquals([isTaken, found], [false, []]);
    else assertEquals(found.length === 0, isTaken, found.join("\n"));
  });
}

function byName(a: Deno.DirEntry, b: Deno.DirEntry): number {
  return a.name < b.name ? -1 : 1;
}

const file = { type: "file", target: "a" };

for (
  const [promise, template] of Object.entries({
    "a plugin's own options": { builders: [{ type: "x", any: { thing: 1 } }] },
    "a number as a text": { builders: [{ ...file, content: 5 }] },
    "a template where a duration stands": {
      builders: [file],
      provisioners: [{ type: "shell", pause_after: "{{user `x`}}" }],
    },
    "booleans as texts": {
      builders: [file],
      provisioners: [{ type: "shell", binary: "true", skip_clean: "0" }],
    },
    "a text in place of a list": {
      builders: [file],
      provisioners: [{ type: "shell", inline: "true" }],
    },
    "what every provisioner can have": {
      builders: [file],
      provisioners: [{
        type: "shell-local",
        command: "true",
        only: ["file"],
        override: { file: { command: "false" } },
        pause_before: "1m30s",
        max_retries: 3,
        timeout: "1h",
      }],
    },
    "post-processors in all their forms": {
      builders: [file],
      "post-processors": [
        "manifest",
        { type: "compress", compression_level: 6, keep_input_artifact: true },
        [{ type: "checksum", checksum_types: ["md5"], name: "x" }, "artifice"],
      ],
    },
    "builders by their paths": {
      builders: { a: "/x", b: ["ssh", "h", "/x"], c: { plugin: "./x", y: 1 } },
    },
    "where plugins are": { plugins: { builders: { x: "/x" }, commands: {} } },
    "comments": { _x: "y", builders: [file] },
  })
) {
  Deno.test(`the schema takes ${promise}`, async () => {
    assertEquals(violations(schema, template), []);
    await parseTemplate(JSON.stringify(template), "t.json", {
      syntaxOnly: true,
    });
  });
}

for (
  const [promise, template, place] of [
    ["a misspelt option of a builder", {
      builders: [{ ...file, contnet: "x" }],
    }, "$.builders[0].contnet"],
    ["a misspelt option of a provisioner", {
      provisioners: [{ type: "shell", inlne: [] }],
    }, "$.provisioners[0].inlne"],
    ["a misspelt option in a sequence", {
      "post-processors": [[{ type: "manifest", ouput: "x" }]],
    }, "$.post-processors[0][0].ouput"],
    ["an object where a text stands", {
      builders: [{ ...file, content: {} }],
    }, "$.builders[0].content"],
    ["a duration without a unit", {
      provisioners: [{ type: "shell", pause_after: "5" }],
    }, "$.provisioners[0].pause_after"],
    ["a word where true or false stands", {
      provisioners: [{ type: "shell", binary: "maybe" }],
    }, "$.provisioners[0].binary"],
    ["a misspelt root key", { bilders: [] }, "$.bilders"],
    ["a kind of plugin that there is none of", {
      plugins: { builder: {} },
    }, "$.plugins.builder"],
  ] as const
) {
  Deno.test(`the schema refuses ${promise}, and says where`, () => {
    const places = violations(schema, template).map((one) =>
      one.split(": ")[0]
    );
    assert(places.includes(place), `${place} is not among ${places}`);
  });
}

Deno.test("the schema has the root keys of a template", () => {
  assertEquals(Object.keys(schema.properties).sort(), [...ROOT_KEYS]);
});

for (const [kind, byName] of Object.entries(BUNDLED)) {
  for (const [name, load] of Object.entries(byName)) {
    Deno.test(`the schema has each option of the ${kind} ${name}`, async () => {
      const { default: Served } = await load();
      const { options } = new (Served as new () => { options: Options })();
      const { properties, required = [] } = schema.$defs[`${kind}-${name}`];
      assert(Object.keys(options).length > 0);
      for (const [key, option] of Object.entries(options)) {
        assertEquals(properties[key].description, option.description, key);
        assertEquals(
          "default" in properties[key],
          option.default !== undefined,
        );
        assertEquals(required.includes(key), option.required === true, key);
        if (option.default !== undefined) {
          assertEquals(
            violations(properties[key], properties[key].default),
            [],
          );
        }
        if (option.oneOf === undefined) continue;
        for (const [value, isGood] of [[option.oneOf[0], true], ["?", false]]) {
          assertEquals(violations(properties[key], value).length === 0, isGood);
        }
      }
      const types = schema.$defs[kind].anyOf?.[0] ?? schema.$defs[kind];
      assert(types.properties.type.anyOf[0].enum.includes(name));
    });
  }
}

forEachHost(
  "baler schema prints the schema, and accepts one template at most",
  async (bench) => {
    const { stdout } = await bench.succeeds(["schema"]);
    assertEquals(JSON.parse(stdout), JSON.parse(JSON.stringify(schema)));
    parseJsonDocument(stdout, "schema.json");
    const refused = await bench.baler(["schema", "a.json", "b.json"]);
    assertEquals(refused.code, 2);
    assertForPeople(refused);
  },
);

Deno.test({
  ...skippable(
    "Python's jsonschema accepts the schema, with the same results for the fixtures",
    missing("jsonschema"),
  ),
  async fn() {
    const { code, stdout, stderr } = await new Deno.Command("python3", {
      args: ["-c", CHECK, JSON.stringify(schema), fixtures.pathname],
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const said = JSON.parse(new TextDecoder().decode(stdout));
    assertStringIncludes(Object.keys(said).join(), "complete.json");
    for (const [name, isValid] of Object.entries(said)) {
      const value = JSON.parse(
        Deno.readTextFileSync(new URL(name, fixtures)),
      );
      assertEquals(violations(schema, value).length === 0, isValid, name);
    }
  },
});

const CHECK = `
import glob, json, os, sys
from jsonschema import Draft202012Validator
schema = json.loads(sys.argv[1])
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
said = {}
for path in glob.glob(sys.argv[2] + "*.json"):
    try:
        template = json.load(open(path))
    except ValueError:
        continue
    said[os.path.basename(path)] = validator.is_valid(template)
print(json.dumps(said))
`;
import { missing, skippable } from "../support/programs.ts";
