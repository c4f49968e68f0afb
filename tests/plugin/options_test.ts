// Options: a component's declaration is checked, and its configuration is checked by the declaration.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
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
