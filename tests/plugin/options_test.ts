// Options: a component's declaration is checked, and its configuration is checked by the declaration.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type BuildContext,
  ConfigError,
  type ConfigOf,
  decodeConfig,
  type Options,
  type PrepareOptions,
} from "../../mod.ts";
import { optionsSchema } from "../../plugin/sdk/options_schema.ts";
import { checkOptions } from "../../plugin/sdk/check_options.ts";
import { adaptComponent } from "../../plugin/sdk/component_adapter.ts";
import { workingTime } from "../support/working_time.ts";
import { violations } from "../support/json_schema.ts";

const build = {
  name: "a-build",
  type: "a-builder",
  workingDirectory: "/",
  userVariables: { size: "small" },
} as unknown as BuildContext;

const options = {
  size: {
    type: "string",
    description: "A size.",
    oneOf: ["small", "large"],
    default: "small",
  },
  colors: {
    type: "strings",
    description: "Colors.",
    oneOf: ["red", "green"],
    default: ["red"],
  },
  count: { type: "number", description: "A count.", required: true },
  tags: { type: "map", description: "Tags." },
} as const satisfies Options;

/** Returns the problems of a configuration. */
async function problems(
  config: Record<string, unknown>,
): Promise<[string, string][]> {
  const error = await assertRejects(
    () => decodeConfig(config, options, build),
    ConfigError,
  );
  return error.problems.map((
    { path, message },
  ) => [path.join("."), message]);
}

Deno.test("oneOf is checked item by item, after templates are filled in", async () => {
  assertEquals(
    await decodeConfig(
      { size: "{{user `size`}}", colors: ["green", "red"], count: "1" },
      options,
      build,
    ),
    { size: "small", colors: ["green", "red"], count: 1 } as ConfigOf<
      typeof options
    >,
  );
  assertEquals(
    await decodeConfig({ colors: "green", count: 1 }, options, build),
    { size: "small", colors: ["green"], count: 1 } as ConfigOf<typeof options>,
  );
  assertEquals(
    await problems({ colors: ["blue", "red", "white"], count: 1 }),
    [
      ["colors.0", '"colors.0" must be one of "red", "green", not "blue"'],
      ["colors.2", '"colors.2" must be one of "red", "green", not "white"'],
    ],
  );
});

Deno.test("all problems of a configuration are reported together", async () => {
  assertEquals(
    await problems({
      sise: "small",
      size: "huge",
      colors: [{}, "red", []],
      tags: { one: [], two: 2, three: {} },
    }),
    [
      ["sise", 'unknown key "sise"; did you mean "size"?'],
      ["size", '"size" must be one of "small", "large", not "huge"'],
      ["colors.0", '"colors.0" must be a string, not an object'],
      ["colors.2", '"colors.2" must be a string, not a list'],
      ["tags.one", '"tags.one" must be a string, not a list'],
      ["tags.three", '"tags.three" must be a string, not an object'],
      ["count", '"count" must be given'],
    ],
  );
});

/** Prepares a component with the given `prepare`. */
async function prepared(
  config: Record<string, unknown>,
  prepare: () => unknown,
): Promise<unknown> {
  const component = adaptComponent("builder", {
    options,
    prepare,
    run() {},
  }) as { prepare(options: PrepareOptions): Promise<unknown> };
  return await component.prepare({ config, build });
}

Deno.test("thousands of long unknown keys take little time", async () => {
  const config = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, i) => [`k${i}`.padEnd(2_000, "x"), 1]),
  );
  const begin = workingTime();
  const { problems } = await assertRejects(
    () => decodeConfig(config, options, build),
    ConfigError,
  );
  const spent = workingTime() - begin;
  assertEquals(
    problems.filter(({ message }) => message.startsWith("unknown key")).length,
    2_000,
  );
  // When each key was compared with all others they took 5 s.
  assert(spent < 2_000, `${spent} ms of CPU time`);
});

Deno.test("an unknown key does not hide the problems that prepare finds", async () => {
  const unknown = {
    path: ["a"],
    message: 'unknown key "a"',
    code: "unknown-key",
  };
  const own = { path: ["count"], message: '"count" must be even' };
  const refused = async (prepare: () => unknown) =>
    (await assertRejects(
      () => prepared({ count: 1, a: 1 }, prepare),
      ConfigError,
    )).problems as unknown[];
  assertEquals(
    await refused(() => {
      throw new ConfigError([{ ...own, path: [...own.path] }]);
    }),
    [unknown, own],
  );
  assertEquals(
    await refused(() => Promise.reject(new Error("the region is unknown"))),
    [unknown, { path: [], message: "the region is unknown" }],
  );
  assertEquals(await refused(() => ({ warnings: ["a warning"] })), [unknown]);
  // `prepare` is not called with a configuration that cannot be decoded.
  assertEquals(
    (await assertRejects(
      () =>
        prepared({ a: 1 }, () => {
          throw new Error("it was called");
        }),
      ConfigError,
    )).problems.map(({ message }) => message),
    ['unknown key "a"', '"count" must be given'],
  );
  assertEquals(
    await prepared({ count: 1 }, () => ({ warnings: ["a warning"] })),
    { warnings: ["a warning"] },
  );
});

/** Returns the error message for a declaration. */
function refusal(option: unknown): string {
  return assertThrows(
    () => checkOptions({ region: option } as Options),
    TypeError,
  ).message.replaceAll(`the plugin's option "region" `, "");
}

Deno.test("an invalid declaration is rejected", () => {
  const description = "A region.";
  const wrong: [option: unknown, message: string][] = [
    [
      { type: "string", description, default: 5 },
      "has the default 5, which is not a string",
    ],
    [
      { type: "number", description, default: "5" },
      'has the default "5", which is not a number',
    ],
    [
      { type: "number", description, default: NaN },
      "has the default NaN, which is not a number",
    ],
    [
      { type: "boolean", description, default: null },
      "has the default null, which is not true or false",
    ],
    [
      { type: "duration", description, default: "5s" },
      'has the default "5s", which is not a number of milliseconds',
    ],
    [
      { type: "strings", description, default: "a" },
      'has the default "a", which is not a list of strings',
    ],
    [
      { type: "strings", description, default: ["a", 1] },
      'has the default ["a",1], which is not a list of strings',
    ],
    [
      { type: "map", description, default: { a: 1 } },
      'has the default {"a":1}, which is not an object of strings',
    ],
    [
      { type: "string", description, default: "c", oneOf: ["a", "b"] },
      'has the default "c", but "oneOf" has only "a", "b"',
    ],
    [
      { type: "strings", description, default: ["a", "c"], oneOf: ["a", "b"] },
      'has the default ["a","c"], but "oneOf" has only "a", "b"',
    ],
    [
      { type: "number", description, oneOf: ["1", "2"] },
      'has "oneOf", which only the types "string" and "strings" can have, not "number"',
    ],
    [
      { type: "string", description, oneOf: [1] },
      'has a "oneOf" that is not a list of strings',
    ],
    [
      { type: "string", description, oneof: ["a"], defualt: "b" },
      'has the key "oneof", which is not one of "type", "description", "required", "default", "oneOf", "interpolate"\n' +
      'has the key "defualt", which is not one of "type", "description", "required", "default", "oneOf", "interpolate"',
    ],
  ];
  for (const [option, message] of wrong) {
    assertEquals(refusal(option), message);
  }
  assertEquals(
    refusal({ type: "any", description, default: () => {} }).includes(
      "which is not a value without functions",
    ),
    true,
  );
  checkOptions(options);
});

Deno.test("the schema of a list with oneOf describes its items", () => {
  const schema = optionsSchema({ colors: options.colors }, {}) as {
    properties: Record<string, Record<string, unknown>>;
  };
  const { colors } = schema.properties;
  for (
    const [value, isValid] of [
      [["red", "green"], true],
      ["red", true],
      [["red", "{{user `color`}}"], true],
      [["red", "blue"], false],
      ["blue", false],
      [[1], false],
    ]
  ) {
    assertEquals(violations(colors!, value).length === 0, isValid, `${value}`);
  }
});

Deno.test("the type of a configuration follows from its options", () => {
  type Config = ConfigOf<typeof options>;
  const config: Config = {
    size: "large",
    colors: ["green"],
    count: 1,
    tags: undefined,
  };
  // @ts-expect-error: not one of oneOf.
  config.size = "huge";
  // @ts-expect-error: not one of oneOf.
  config.colors = ["blue"];
  // @ts-expect-error: it is required.
  config.count = undefined;
  // @ts-expect-error: it has a default.
  config.size = undefined;

  const typo = {
    // @ts-expect-error: a default of another type.
    a: { type: "string", description: "", default: 5 },
    // @ts-expect-error: a default of another type.
    b: { type: "strings", description: "", default: ["a", 1] },
    // @ts-expect-error: oneOf is for strings.
    c: { type: "number", description: "", oneOf: ["1"] },
  } as const satisfies Options;
  const outside = {
    a: { type: "string", description: "", default: "c", oneOf: ["a", "b"] },
  } as const satisfies Options;
  // @ts-expect-error: a default that is not one of oneOf.
  const other: ConfigOf<typeof outside> | undefined = undefined;
  assertEquals([typeof typo, other], ["object", undefined]);
});

const nestedOptions = {
  network: {
    type: "object",
    description: "The network.",
    options: {
      name: { type: "string", description: "Its name.", required: true },
      wait: { type: "duration", description: "A wait.", default: 1000 },
      script: {
        type: "string",
        description: "Rendered later.",
        interpolate: false,
      },
    },
  },
  disks: {
    type: "objects",
    description: "The disks.",
    options: {
      size: { type: "number", description: "Its size.", required: true },
      labels: {
        type: "objects",
        description: "Its labels.",
        options: {
          text: {
            type: "string",
            description: "A text.",
            oneOf: ["a", "b"],
            default: "a",
          },
        },
        default: [],
      },
    },
    required: true,
  },
  limits: {
    type: "object",
    description: "The limits.",
    options: { depth: { type: "number", description: "D.", default: 3 } },
    default: {},
  },
} as const satisfies Options;

Deno.test("nested options are decoded as the others are, with their places", async () => {
  const config = {
    Network: {
      NAME: "{{user `size`}}",
      wait: "2s",
      script: "{{ .Vars }}",
    },
    // As in Packer, one object stands for a list of it.
    disks: { size: "5", labels: [{}, { text: "b" }] },
  };
  assertEquals(await decodeConfig(config, nestedOptions, build), {
    network: { name: "small", wait: 2000, script: "{{ .Vars }}" },
    disks: [{ size: 5, labels: [{ text: "a" }, { text: "b" }] }],
    limits: { depth: 3 },
  });
  const error = await assertRejects(
    () =>
      decodeConfig(
        {
          network: { nam: "x", wait: "soon" },
          disks: [{ size: "big" }, "none", {
            size: 1,
            labels: [{ text: "c" }],
          }],
          limits: [1],
        },
        nestedOptions,
        build,
      ),
    ConfigError,
  );
  assertEquals(error.problems.map(({ message }) => message), [
    'unknown key "nam"; did you mean "name"?',
    '"network.wait" must be a duration such as "5s" or "1h30m", not "soon"',
    '"network.name" must be given',
    '"disks.0.size" must be a number, not "big"',
    '"disks.1" must be an object, not "none"',
    '"disks.2.labels.0.text" must be one of "a", "b", not "c"',
    '"limits" must be an object, not a list',
  ]);
  assertEquals(error.problems[5]!.path, ["disks", 2, "labels", 0, "text"]);
  const missing = await assertRejects(
    () => decodeConfig({}, nestedOptions, build),
    ConfigError,
  );
  assertEquals(missing.message, '"disks" must be given');
});

Deno.test("nested options are part of the JSON Schema", () => {
  const schema = optionsSchema(nestedOptions, {}) as Record<string, unknown>;
  const invalid = (config: unknown) => violations(schema, config).length > 0;
  assertEquals(invalid({ disks: [{ size: 1 }, { size: "2" }] }), false);
  assertEquals(invalid({ disks: { size: 1, labels: [{ text: "a" }] } }), false);
  assertEquals(invalid({ disks: [], network: { name: "x" } }), false);
  assertEquals(invalid({ disks: [{ seize: 1 }] }), true);
  assertEquals(invalid({ disks: [{}] }), true);
  assertEquals(invalid({ disks: [], network: { wait: "1s" } }), true);
  assertEquals(invalid({ disks: [{ size: 1, labels: { text: "c" } }] }), true);
});

Deno.test("declarations of nested options are checked at every depth", () => {
  const text = (declared: unknown) =>
    assertThrows(() => checkOptions(declared as Options), TypeError).message;
  const leaf = { type: "string", description: "A text." };
  assertEquals(
    text({ a: { type: "object", description: "An object." } }),
    'the plugin\'s option "a" has no "options": declare what is in it as { name: { type, description } }',
  );
  assertEquals(
    text({
      a: {
        type: "objects",
        description: "Objects.",
        options: { b: { type: "strings", description: "Texts.", default: 1 } },
      },
    }),
    'the plugin\'s option "a.b" has the default 1, which is not a list of strings',
  );
  assertEquals(
    text({
      a: {
        type: "object",
        description: "An object.",
        options: { b: { ...leaf, required: true } },
        default: {},
      },
    }),
    'the plugin\'s option "a" has a default, but a required option in it, which has no value then',
  );
  assertEquals(
    text({
      a: {
        type: "object",
        description: "An object.",
        options: {},
        oneOf: ["x"],
      },
    }).includes('has the key "oneOf"'),
    true,
  );
  const cyclic = { type: "object", description: "An object.", options: {} };
  cyclic.options = { again: cyclic };
  assertEquals(
    text({ a: cyclic }).endsWith("is nested deeper than 10"),
    true,
  );
  checkOptions(nestedOptions);
});
