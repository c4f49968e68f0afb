// What a template is evaluated in. Everything is optional: a function whose
// part is missing says so when a template calls it.

/** The steps that interpolations have taken; start with `{ steps: 0 }`. */
export interface InterpolationBudget {
  /** How many steps were taken so far. */
  steps: number;
}

/** What a template's functions and fields read. */
export interface InterpolationContext {
  /** What `` {{user `name`}} `` reads; a name that is not there is "". */
  userVariables?: Readonly<Record<string, string>> | undefined;
  /**
   * What `` {{env `NAME`}} `` reads; undefined is "". Given only where a
   * template may read the environment, which is in its `variables`; a user
   * variable that is not set is an error there.
   */
  env?: ((name: string) => string | undefined) | undefined;
  /**
   * What `{{.Field}}` reads. In a plain object or a Map a missing field is
   * `<no value>`; in an instance of a class it is an error.
   */
  data?: unknown;
  /** Makes a missing field of a plain object or a Map an error as well. */
  strict?: boolean | undefined;
  /** What `{{build_name}}` writes. */
  buildName?: string | undefined;
  /** What `{{build_type}}` writes. */
  buildType?: string | undefined;
  /**
   * What `` {{build `ID`}} `` reads: what the builder tells its provisioners
   * and post-processors. By default `data`, as in Packer. A value that holds
   * {@linkcode PLACEHOLDER_MESSAGE} is not known yet, and `{{.ID}}` is written.
   */
  build?: Readonly<Record<string, unknown>> | undefined;
  /** The template's path; `{{template_dir}}` writes its directory. */
  templatePath?: string | undefined;
  /** What `{{packer_version}}` writes. */
  coreVersion?: string | undefined;
  /**
   * The moment of `{{timestamp}}`, `{{isotime}}` and `{{strftime}}`; by
   * default when this module was loaded, so that a run has only one.
   */
  initTime?: Date | undefined;
  /** Makes what `{{uuid}}` writes. */
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
