// The options of a component: a declaration of the keys that its configuration
// takes, from which the checks, the defaults, the JSON Schema and the types of
// the configuration all follow.

/** The kinds of value that an option takes, and what the component gets for each. */
export interface OptionTypes {
  /** A text. */
  string: string;
  /** A number; a template may write it as text. */
  number: number;
  /** True or false; a template may write them as text. */
  boolean: boolean;
  /** A list of texts; a template may write a list of one as the text alone. */
  strings: string[];
  /** Texts by name. */
  map: Record<string, string>;
  /** A length of time such as `"5m30s"`; the component gets milliseconds. */
  duration: number;
  /** Whatever the template has, untouched but for the templates in it. */
  any: unknown;
}

/** One key of a component's configuration. */
export interface Option<T extends keyof OptionTypes = keyof OptionTypes> {
  /** The kind of value it takes. */
  readonly type: T;
  /** What it is for, in a sentence. */
  readonly description: string;
  /** True when it cannot be left out. */
  readonly required?: boolean;
  /** The value where the template has none, in the form that the component gets. */
  readonly default?: OptionTypes[T];
  /** The only texts that it takes. */
  readonly oneOf?: readonly string[];
  /**
   * False when the component renders the templates in this value itself,
   * later, with data of its own (see `render`).
   */
  readonly interpolate?: boolean;
}

/** The configuration that a component declares: each key with what it takes. */
export type Options = Readonly<Record<string, Option>>;

/** The configuration that a component with these options gets. */
export type ConfigOf<O extends Options> = {
  [K in keyof O]:
    | OptionTypes[O[K]["type"]]
    | (O[K] extends { required: true } ? never
      : O[K] extends { default: OptionTypes[keyof OptionTypes] } ? never
      : undefined);
};
