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

/** One key of a component's configuration. */
export type Option<T extends keyof OptionTypes = keyof OptionTypes> = T extends
  keyof OptionTypes ? OptionOf<T> : never;

/** The options that a component declares, by key. */
export type Options = Readonly<Record<string, Option>>;

/** The value that a component gets for an option. */
export type OptionValue<O> = O extends
  { type: "string"; oneOf: readonly (infer Word)[] } ? Word
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
 * } as const satisfies Options;
 *
 * export function describe({ size, tags }: ConfigOf<typeof options>) {
 *   const word: "small" | "large" = size;
 *   return `${word}, ${Object.keys(tags ?? {}).length} tags`;
 * }
 * ```
 */
export type ConfigOf<O extends ConsistentOptions<O>> = DecodedConfig<O>;
