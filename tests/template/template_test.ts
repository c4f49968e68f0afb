// Templates: the values that are read, and the error of each mistake, with
// its position, in Packer's wording, and with what to do.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import {
  parseJsonDocument,
  SourceError,
} from "../../host/json/json_document.ts";
import { scanJson } from "../../host/json/json_scanner.ts";
import { matchName } from "../../host/plan/name_pattern.ts";
import { selectBuilds } from "../../host/plan/select_builds.ts";
import { parseTemplate, readTemplate } from "../../host/template/template.ts";
import { missing, skippable } from "../support/programs.ts";

const FIXTURES = fromFileUrl(
  new URL("../fixtures/templates/", import.meta.url),
);

interface Refusal {
  place: string;
  baler: string;
  packer: string;
}

const refusals: Record<string, Refusal> = JSON.parse(
  await Deno.readTextFile(join(FIXTURES, "refusals.json")),
);

Deno.test("readTemplate() rejects each invalid template with the position and Packer's wording", async (t) => {
  for (const [file, { place, baler }] of Object.entries(refusals)) {
    await t.step(file, async () => {
      const path = join(FIXTURES, file);
      const error = await assertRejects(() => readTemplate(path), SourceError);
      assertStringIncludes(error.message, `${path}:${place}: `);
      assertStringIncludes(error.message, baler);
      // The caret is in the reported column.
      const column = Number(place.split(":")[1]);
      assertStringIncludes(error.message, `\n${" ".repeat(4 + column - 1)}^`);
    });
  }
});

Deno.test({
  ...skippable(
    "the recorded errors are those of Packer itself",
    missing("packer"),
  ),
  async fn(t) {
    await t.step("complete.json is taken", async () => {
      const { code } = await new Deno.Command("packer", {
        args: ["validate", join(FIXTURES, "complete.json")],
        env: { CHECKPOINT_DISABLE: "1" },
        stdout: "null",
      }).output();
      assertEquals(code, 0);
    });
    for (const [file, { packer }] of Object.entries(refusals)) {
      await t.step(file, async () => {
        const { code, stdout, stderr } = await new Deno.Command("packer", {
          args: ["validate", join(FIXTURES, file)],
          env: { CHECKPOINT_DISABLE: "1" },
        }).output();
        const said = [stdout, stderr].map((it) => new TextDecoder().decode(it));
        assertEquals(code, 1);
        assertStringIncludes(
          said.join("").replace(/\s+/g, " "),
          packer,
        );
      });
    }
  },
});

Deno.test("readTemplate() reads every root key and every form of a part", async () => {
  const path = join(FIXTURES, "complete.json");
  const template = await readTemplate(path);
  assertEquals(template.source, path);
  assertEquals(template.path, path);
  assertEquals(template.directory, FIXTURES.replace(/[/\\]$/, ""));
  assertEquals(template.description, "all of it");
  assertEquals(template.minPackerVersion, "v1.6");
  assertEquals(template.variables.get("secret"), "{{user `suffix`}}23");
  assertEquals(template.sensitiveVariables, ["secret"]);
  assertEquals(
    template.builders.map(({ name, type, config }) => [name, type, config]),
    [
      ["null", "null", { communicator: "none" }],
      ["web-{{user `suffix`}}", "null", { communicator: "none" }],
    ],
  );

  const [first, second] = template.provisioners;
  assertEquals(first?.only, ["web-{{user `suffix`}}"]);
  assertEquals(first?.pauseBefore, 10);
  assertEquals(first?.maxRetries, "{{user `suffix`}}");
  assertEquals(Object.keys(first?.config ?? {}), [
    "inline",
    "environment_vars",
  ]);
  assertEquals(second?.except, ["null"]);
  assertEquals(second?.maxRetries, "2");
  assertEquals(second?.timeout, 90_000);
  assertEquals(template.errorCleanupProvisioner?.config, { inline: ["true"] });

  assertEquals(
    template.postProcessors.map((sequence) => sequence.map(({ name }) => name)),
    [["manifest"], ["named"], ["shell-local", "last", "manifest"], []],
  );
  const named = template.postProcessors[1]![0]!;
  assertEquals(named.keepInputArtifact, true);
  assertEquals(named.config, { output: "two.json" });
  const last = template.postProcessors[2]![1]!;
  assertEquals(last.at, ["post-processors", 2, 1]);
  assertEquals(template.document.locate([...last.at, "name"]), {
    line: 36,
    column: 40,
    lineText:
      '      { "type": "shell-local", "name": "last", "inline": ["true"] },',
  });
});

Deno.test("readTemplate() reports all problems of a template together, in order", async () => {
  const error = await assertRejects(
    () =>
      parseTemplate(
        `{
  "min_packer_version": "9.0.0",
  "builders": [{"type": "null", "name": "a"}],
  "provisioners": [{"type": "shell-local", "only": ["b"], "timeout": "x"}, {}],
  "post-procesors": []
}`,
        "template.json",
      ),
    SourceError,
  );
  assertEquals(
    (error as SourceError).problems.map(({ location, message }) =>
      `${location?.line}:${location?.column} ${message.split(";")[0]}`
    ),
    [
      "2:25 This template requires Packer version 9.0.0 or higher",
      `4:70 provisioner 1: error decoding 'timeout': invalid duration "x"`,
      "4:76 provisioner 2: Provisioner missing 'type'",
      "5:3 Unknown root level key in template: 'post-procesors'",
    ],
  );
  assertStringIncludes(error.message, 'did you mean "post-processors"?');
});

Deno.test("parseTemplate() with syntaxOnly checks only the form, as validate -syntax-only does", async () => {
  const text =
    '{"min_packer_version": "9", "provisioners": [{"type": "x", "only": ["y"]}]}';
  const template = await parseTemplate(text, "t.json", { syntaxOnly: true });
  assertEquals(template.provisioners[0]?.only, ["y"]);
  await assertRejects(
    () => parseTemplate('{"builders": [{}]}', "t.json", { syntaxOnly: true }),
    SourceError,
    "missing 'type'",
  );
});

Deno.test("parseTemplate() accepts builders as an object from build name to plugin", async () => {
  const { builders } = await parseTemplate(
    JSON.stringify({
      builders: {
        "custom-cloud": "/opt/baler-builder-custom-cloud",
        mine: "./bin/baler-builder-other",
        there: ["ssh", "build1", "/opt/plugin"],
        configured: { plugin: "/opt/plugin", type: "cloud", region: "eu" },
      },
    }),
    "/srv/template.json",
  );
  assertEquals(
    builders.map(({ name, type, plugin, config }) => ({
      name,
      type,
      plugin,
      config,
    })),
    [
      {
        name: "custom-cloud",
        type: "custom-cloud",
        plugin: ["/opt/baler-builder-custom-cloud"],
        config: {},
      },
      {
        name: "mine",
        type: "other",
        plugin: ["/srv/bin/baler-builder-other"],
        config: {},
      },
      {
        name: "there",
        type: "there",
        plugin: ["ssh", "build1", "/opt/plugin"],
        config: {},
      },
      {
        name: "configured",
        type: "cloud",
        plugin: ["/opt/plugin"],
        config: { region: "eu" },
      },
    ],
  );
  const error = await assertRejects(
    () =>
      parseTemplate('{"builders": {"a": "b", "c": {}}}', "/srv/template.json"),
    SourceError,
    '"b" is not the path of a plugin',
  );
  assertStringIncludes(error.message, `builder "c": missing 'plugin'`);
});

Deno.test("readTemplate() says what to do when there is no JSON template", async () => {
  await assertRejects(
    () => readTemplate(join(FIXTURES, "nope.json")),
    Error,
    "nope.json: no such file or directory",
  );
  await assertRejects(() => readTemplate(FIXTURES), Error, "is a directory");
  await assertRejects(
    () => readTemplate("x.pkr.hcl"),
    Error,
    "HCL2 templates are not supported",
  );
});

Deno.test("readTemplate() reads from stdin, and its paths start from the working directory", async () => {
  const module =
    new URL("../../host/template/template.ts", import.meta.url).href;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--config",
      fromFileUrl(new URL("../../deno.json", import.meta.url)),
      `const { readTemplate } = await import(${JSON.stringify(module)});
       const { source, path, directory } = await readTemplate("-");
       console.log(JSON.stringify({ source, path, directory }));`,
    ],
    cwd: FIXTURES,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(
    new TextEncoder().encode('{"builders": [{"type": "null"}]}'),
  );
  await writer.close();
  const { stdout } = await child.output();
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)), {
    source: "<stdin>",
    directory: FIXTURES.replace(/[/\\]$/, ""),
  });
});

Deno.test("parseJsonDocument() accepts a byte order mark, which columns do not count", () => {
  const document = parseJsonDocument('\ufeff{"a": 1}', "t.json");
  assertEquals(document.value, { a: 1 });
  assertEquals(document.locate(["a"]).column, 7);
});

Deno.test("parseJsonDocument() rejects a key that would change a prototype", () => {
  assertThrows(
    () => parseJsonDocument('{"a": [{"__proto__": {}}]}', "t.json"),
    SourceError,
    't.json:1:9: "__proto__" is not allowed as a key',
  );
});

Deno.test("scanJson() accepts and rejects the same texts as JSON.parse()", () => {
  const base =
    '{"a":[1,-2.5e3,"x\\u00e9\\n",true,null],"b":{"c":""}, "d" : [ ] }';
  const texts = [base];
  for (let at = 0; at < base.length; at++) {
    texts.push(base.slice(0, at), base.slice(0, at) + base.slice(at + 1));
    for (const character of ['"', ",", "}", "]", "0", "\\", "\n", "e", "."]) {
      texts.push(base.slice(0, at) + character + base.slice(at));
    }
  }
  for (const text of texts) {
    let isJson = true;
    try {
      JSON.parse(text);
    } catch {
      isJson = false;
    }
    assertEquals(scanJson(text).mistake === undefined, isJson, text);
  }
  assert(texts.length > 500);
});

Deno.test("a SourceError cuts a long line around its caret and shows no control characters", () => {
  const text = `{"a": "${
    "x".repeat(500)
  }", "\ufffd日本": \t"\u009b31m" z, "b": "${"y".repeat(500)}"}`;
  const error = assertThrows(
    () => parseJsonDocument(text, "t.json"),
    SourceError,
  );
  const [, line, caret] = error.message.split("\n") as [string, string, string];
  assert(line.length < 120, line);
  assertStringIncludes(line, "...xxx");
  assert(!line.includes("\u009b"));
  // Each of the two wide characters takes two columns of the terminal.
  assertEquals(line.indexOf(" z,") + 1 + 2, caret.indexOf("^"));
});

Deno.test("selectBuilds() returns each build with its name and its components", async () => {
  const template = await readTemplate(join(FIXTURES, "complete.json"));
  const { builds, unmatched } = selectBuilds(template, { suffix: "1" });
  assertEquals(unmatched, []);
  assertEquals(builds.map(({ name }) => name), ["null", "web-1"]);
  const [first, second] = builds;
  assertEquals(first!.provisioners.length, 0);
  assertEquals(
    first!.postProcessors.map((sequence) => sequence.map(({ name }) => name)),
    [["manifest"], ["named"], ["shell-local", "last", "manifest"]],
  );
  assertEquals(second!.postProcessors[2]!.map(({ name }) => name), [
    "last",
    "manifest",
  ]);

  const [overridden, plain] = second!.provisioners;
  assertEquals([overridden!.maxRetries, plain!.maxRetries], [1, 2]);
  // Packer decodes one over the other, so the second item is kept.
  assertEquals(overridden!.config, {
    inline: ["echo $A $B"],
    environment_vars: ["A=3", "B=2"],
  });
  const override = ["provisioners", 0, "override", "web-{{user `suffix`}}"];
  assertEquals(overridden!.pathOf(["environment_vars", 0]), [
    ...override,
    "environment_vars",
    0,
  ]);
  assertEquals(overridden!.pathOf(["inline", 0]), [
    "provisioners",
    0,
    "inline",
    0,
  ]);
});

Deno.test("selectBuilds() accepts names and patterns, and returns those that match nothing", async () => {
  const template = await readTemplate(join(FIXTURES, "complete.json"));
  const select = (options: { only?: string[]; except?: string[] }) => {
    const { builds, unmatched } = selectBuilds(
      template,
      { suffix: "1" },
      options,
    );
    return [builds.map(({ name }) => name), unmatched];
  };
  assertEquals(select({ only: ["web-1"] }), [["web-1"], []]);
  assertEquals(select({ only: ["web-*"] }), [["web-1"], []]);
  assertEquals(select({ only: ["web-{{user `suffix`}}"] }), [[], [
    "web-{{user `suffix`}}",
  ]]);
  assertEquals(select({ except: ["web-?"] }), [["null"], []]);
  assertEquals(select({ only: ["*"], except: ["null", "x"] }), [["web-1"], [
    "x",
  ]]);
  assertEquals(select({ only: [""] }), [[], [""]]);
});

Deno.test("selectBuilds() truncates a sequence at the post-processor that -except names", async () => {
  const template = await readTemplate(join(FIXTURES, "complete.json"));
  const { builds, unmatched } = selectBuilds(template, { suffix: "1" }, {
    except: ["last"],
  });
  assertEquals(unmatched, []);
  assertEquals(
    builds[0]!.postProcessors.map((sequence) =>
      sequence.map(({ name }) => name)
    ),
    [["manifest"], ["named"], ["shell-local"]],
  );
});

Deno.test("selectBuilds() locates a name that cannot be interpolated", async () => {
  const of = async (text: string) => {
    const template = await parseTemplate(text, "t.json");
    return assertThrows(() => selectBuilds(template, { x: "a" }), SourceError)
      .message;
  };
  assertStringIncludes(
    await of('{"builders": [{"type": "null", "name": "{{nope}}"}]}'),
    "t.json:1:40: Error interpolating builder '{{nope}}'",
  );
  assertStringIncludes(
    await of(
      '{"builders": [{"type": "null", "name": "a"}, {"type": "null", "name": "{{user `x`}}"}]}',
    ),
    "t.json:1:71: builder with name 'a' already exists",
  );
});

Deno.test("selectBuilds() returns a build's own problems with that build", async () => {
  const template = await parseTemplate(
    `{"builders": [{"type": "null", "name": "a"}, {"type": "null", "name": "b"}],
      "provisioners": [{"type": "x", "only": ["b"], "max_retries": "{{user \`x\`}}",
        "override": {"b": "text"}}]}`,
    "t.json",
  );
  const { builds } = selectBuilds(template, { x: "often" });
  assertEquals(
    builds.map(({ provisioners }) =>
      provisioners.flatMap(({ problems }) => problems).map(({ message }) =>
        message.split("\n")[0]
      )
    ),
    [[], [
      't.json:2:68: `max_retries` must be a valid integer, not "often"; write it like 3',
      "t.json:3:27: override 'b' expected a map, got a string",
    ]],
  );
});

Deno.test("matchName() supports *, ?, classes and alternatives", () => {
  const matching: [string, string][] = [
    ["a", "a"],
    ["a*", "abc"],
    ["*.*", "x.y"],
    ["a?c", "a日c"],
    ["[a-c]x", "bx"],
    ["[!a-c]x", "dx"],
    ["{web,db}-*", "db-1"],
    ["a\\*", "a*"],
    ["a[", "a["],
    ["(x)+*", "(x)+1"],
  ];
  for (const [pattern, name] of matching) {
    assert(matchName(pattern, name), pattern);
  }
  const others: [string, string][] = [
    ["a", "ab"],
    ["a?", "a"],
    ["[a-c]", "d"],
    ["a{b", "ab"],
    ["a.c", "abc"],
  ];
  for (const [pattern, name] of others) {
    assert(!matchName(pattern, name), pattern);
  }
});
