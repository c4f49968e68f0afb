// The options of a component: a declaration of the keys of its configuration. The
// checks, the defaults, the JSON Schema and the TypeScript type of the configuration
// are derived from it.

/** The types of option, and what the component gets for each. */
export interface OptionTypes {
  /** A string. */
  string: string;
  /** A number; a template may write it as a string. */
  number: number;
  /** True or false; a template may write them as strings. */
  boolean: boolean;
  /** A list of strings; a template may write a list of one as a string. */
  strings: string[];
  /** An object of strings. */
  map: Record<string, string>;
  /** A duration such as `"5m30s"`; the component gets milliseconds. */
  duration: number;
  /** Any value, in which only templates (`{{...}}`) are filled in. */
  any: unknown;
}

/** The types of option whose values `oneOf` can limit. */
export type EnumerableType = "string" | "strings";

/** The type of a value, or of the same value declared `as const`. */
export type Constant<T> = T extends readonly (infer Item)[] ? readonly Item[]
  : Readonly<T>;

/** One key of a component's configuration, of a certain type. */
export interface OptionOf<T extends keyof OptionTypes> {
  /** The type of its value. */
  readonly type: T;
  /** Its purpose, in a sentence. */
  readonly description: string;
  /** True when a template must give it. */
  readonly required?: boolean;
  /** The value when a template does not give it, in the form that the component gets. */
  readonly default?: Constant<OptionTypes[T]>;
  /** The strings that it may be; of a list, the strings that may be in it. */
  readonly oneOf?: T extends EnumerableType ? readonly string[] : undefined;
  /**
   * False when the component fills in the templates (`{{...}}`) in this value
   * itself, later, with data of its own (see `render`).
   */
  readonly interpolate?: boolean;
}

/** The types of option whose values have options of their own. */
export type NestedType = "object" | "objects";

/**
 * A key whose value has options of its own: an `object`, or a list of
 * `objects`. In Packer's HCL2 templates it is a block. A template may write a
 * list of one object as that object.
 */
export interface NestedOption<T extends NestedType = NestedType> {
  /** `object`, or `objects` for a list of them. */
  readonly type: T;
  /** Its purpose, in a sentence. */
  readonly description: string;
  /** The options of the object, or of each object. */
  readonly options: Options;
  /** True when a template must give it. */
  readonly required?: boolean;
  /**
   * The value when a template does not give it: an object in which every option
   * has its default, or an empty list.
   */
  readonly default?: T extends "object" ? Readonly<Record<string, never>>
    : readonly [];
  /** Only strings are limited to some words. */
  readonly oneOf?: undefined;
  /** Each of its options decides that for itself. */
  readonly interpolate?: undefined;
}

/** The types of option. */
export type OptionType = keyof OptionTypes | NestedType;

/** One key of a component's configuration. */
export type Option<T extends OptionType = OptionType> = T extends NestedType
  ? NestedOption<T>
  : T extends keyof OptionTypes ? OptionOf<T>
  : never;

/** The options that a component declares, by key. */
export type Options = Readonly<Record<string, Option>>;

/** The value that a component gets for an option. */
export type OptionValue<O> = O extends { type: "object"; options: infer Nested }
  ? DecodedConfig<Nested>
  : O extends { type: "objects"; options: infer Nested }
    ? DecodedConfig<Nested>[]
  : O extends { type: "string"; oneOf: readonly (infer Word)[] } ? Word
  : O extends { type: "strings"; oneOf: readonly (infer Word)[] } ? Word[]
  : O extends { type: infer T extends keyof OptionTypes } ? OptionTypes[T]
  : unknown;

/** The configuration that a component gets, whatever its options are. */
export type DecodedConfig<O> = {
  [K in keyof O]:
    | OptionValue<O[K]>
    | (O[K] extends { required: true } ? never
      : O[K] extends { default: unknown } ? never
      : undefined);
};

/**
 * Options whose defaults are among the values of `oneOf`. A default that is not
 * makes its option incompatible with this type.
 */
export type ConsistentOptions<O> = {
  readonly [K in keyof O]: O[K] extends
    { oneOf: readonly (infer Word)[]; default: infer Default }
    ? Default extends Word | readonly Word[] ? O[K] : { default: Word }
    : O[K] extends { options: infer Nested }
      ? O[K] & { readonly options: ConsistentOptions<Nested> }
    : O[K];
};

/**
 * The configuration that a component with certain options gets. A default that
 * is not one of `oneOf` is a type error.
 *
 * @example
 * ```ts
 * import type { ConfigOf, Options } from "@baler/baler";
 *
 * const options = {
 *   size: {
 *     type: "string",
 *     description: "The size of the machine.",
 *     oneOf: ["small", "large"],
 *     default: "small",
 *   },
 *   tags: { type: "map", description: "Tags of the image." },
 *   disks: {
 *     type: "objects",
 *     description: "The disks, in order.",
 *     options: {
 *       gigabytes: { type: "number", description: "Its size.", required: true },
 *     },
 *     default: [],
 *   },
 * } as const satisfies Options;
 *
 * export function describe({ size, tags, disks }: ConfigOf<typeof options>) {
 *   const word: "small" | "large" = size;
 *   const sizes = disks.map(({ gigabytes }) => `${gigabytes} GB`);
 *   return `${word}, ${Object.keys(tags ?? {}).length} tags, ${sizes.join()}`;
 * }
 * ```
 */
export type ConfigOf<O extends ConsistentOptions<O>> = DecodedConfig<O>;
