// Type-only tests of what an author declares and gets: `deno check` of this file is the test, nothing runs.

import type {
  Builder,
  BuilderRunOptions,
  ConfigOf,
  Options,
  PostProcessor,
  PrepareOptions,
  Provisioner,
} from "@baler/baler";

/** True where both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;

/** An error of the type check unless its argument is the type `true`. */
type Expect<T extends true> = T;

const options = {
  name: { type: "string", description: "required", required: true },
  nickname: { type: "string", description: "optional" },
  size: { type: "number", description: "with a default", default: 3 },
  verbose: { type: "boolean", description: "optional" },
  tags: { type: "strings", description: "with a default", default: ["a"] },
  timeout: { type: "duration", description: "required", required: true },
} as const satisfies Options;

type Config = ConfigOf<typeof options>;

/** What is required or has a default is there; the rest may be undefined. */
export type Values = [
  Expect<Same<Config["name"], string>>,
  Expect<Same<Config["nickname"], string | undefined>>,
  Expect<Same<Config["size"], number>>,
  Expect<Same<Config["verbose"], boolean | undefined>>,
  Expect<Same<Config["tags"], string[]>>,
  Expect<Same<Config["timeout"], number>>,
];

const nested = {
  network: {
    type: "object",
    description: "optional",
    options: {
      name: { type: "string", description: "required", required: true },
      ports: {
        type: "objects",
        description: "with a default",
        options: {
          number: { type: "number", description: "required", required: true },
          protocol: {
            type: "string",
            description: "one of two",
            oneOf: ["tcp", "udp"],
            default: "tcp",
          },
        },
        default: [],
      },
    },
  },
  defaults: {
    type: "object",
    description: "there with the defaults of its options",
    options: { size: { type: "number", description: "size", default: 1 } },
    default: {},
  },
} as const satisfies Options;

type Nested = ConfigOf<typeof nested>;

/** Objects and lists of objects have the types of their options. */
export type NestedValues = [
  Expect<Same<undefined extends Nested["network"] ? true : false, true>>,
  Expect<Same<NonNullable<Nested["network"]>["name"], string>>,
  Expect<
    Same<NonNullable<Nested["network"]>["ports"][number]["number"], number>
  >,
  Expect<
    Same<
      NonNullable<Nested["network"]>["ports"][number]["protocol"],
      "tcp" | "udp"
    >
  >,
  Expect<Same<Nested["defaults"]["size"], number>>,
];

const inconsistent = {
  port: {
    type: "object",
    description: "its option's default is not one of its words",
    options: {
      protocol: {
        type: "string",
        description: "one of two",
        oneOf: ["tcp", "udp"],
        default: "icmp",
      },
    },
  },
} as const satisfies Options;

// @ts-expect-error: the default of a nested option is checked, too.
export type Inconsistent = ConfigOf<typeof inconsistent>;

/** No other key exists. */
export type Keys = Expect<Same<keyof Config, keyof typeof options>>;

/** A builder takes the configuration that it declares. */
export class Declared implements Builder<Config> {
  readonly options = options;
  prepare({ config }: PrepareOptions<Config>) {
    const name: string = config.name;
    // @ts-expect-error: it may be undefined.
    const nickname: string = config.nickname;
    // @ts-expect-error: there is no such key.
    config.color;
    console.log(name, nickname);
  }
  async run(_: BuilderRunOptions) {}
}

/** A builder that needs no configuration implements the interface as it is. */
export class Plain implements Builder {
  prepare() {}
  async run({ ui, signal }: BuilderRunOptions) {
    await ui.say(String(signal.aborted));
  }
}

/** What a builder returns is an artifact or nothing. */
export class NoArtifact implements Builder {
  prepare() {}
  // @ts-expect-error: a string is no artifact.
  // deno-lint-ignore require-await
  async run() {
    return "image.img";
  }
}

/** Each kind has its own method. */
export type Kinds = [
  Expect<Same<keyof Builder, "options" | "prepare" | "run">>,
  Expect<Same<keyof Provisioner, "options" | "prepare" | "provision">>,
  Expect<Same<keyof PostProcessor, "configure" | "options" | "postProcess">>,
];
