// The context in which a template is evaluated. Everything is optional: a function whose
// part is missing fails when a template calls it.

/** The steps that interpolations have taken; start with `{ steps: 0 }`. */
export interface InterpolationBudget {
  /** The number of steps so far. */
  steps: number;
}

/** The values that a template's functions and fields read. */
export interface InterpolationContext {
  /** The values of `` {{user `name`}} ``; an unknown name is "". */
  userVariables?: Readonly<Record<string, string>> | undefined;
  /**
   * The value of `` {{env `NAME`}} ``; undefined is "". Given only where a
   * template may read the environment, which is in its `variables`; a user
   * variable that is not set is an error there.
   */
  env?: ((name: string) => string | undefined) | undefined;
  /**
   * The values of `{{.Field}}`. In a plain object or a Map a missing field is
   * `<no value>`; in an instance of a class it is an error.
   */
  data?: unknown;
  /** Whether a missing field of a plain object or a Map is an error as well. */
  strict?: boolean | undefined;
  /** The value of `{{build_name}}`. */
  buildName?: string | undefined;
  /** The value of `{{build_type}}`. */
  buildType?: string | undefined;
  /**
   * The values of `` {{build `ID`}} ``: the data that the builder publishes for provisioners
   * and post-processors. By default `data`, as in Packer. A value that holds
   * {@linkcode PLACEHOLDER_MESSAGE} is not known yet, and `{{.ID}}` is written.
   */
  build?: Readonly<Record<string, unknown>> | undefined;
  /** The template's path; `{{template_dir}}` is its directory. */
  templatePath?: string | undefined;
  /** The value of `{{packer_version}}`. */
  coreVersion?: string | undefined;
  /**
   * The time of `{{timestamp}}`, `{{isotime}}` and `{{strftime}}`; by
   * default when this module was loaded, so that a run has only one.
   */
  initTime?: Date | undefined;
  /** Returns the value of `{{uuid}}`. */
  uuid?: (() => string) | undefined;
  /** What `{{pwd}}` writes; by default the process's working directory. */
  pwd?: (() => string) | undefined;
  /**
   * Counts the steps of several interpolations together, so that they share
   * the limit of one. By default each interpolation has the limit to itself.
   */
  budget?: InterpolationBudget | undefined;
  /** More functions, or others in place of the ones that are there. */
  functions?:
    | Readonly<Record<string, (...operands: unknown[]) => unknown>>
    | undefined;
}

/**
 * What marks a builder's value that is not known before it has run. A builder
 * offers `` `Build_ID. ${PLACEHOLDER_MESSAGE}` `` while its build is prepared.
 */
export const PLACEHOLDER_MESSAGE: string =
  "To set this dynamically in the Packer template, you must use the `build` function";
