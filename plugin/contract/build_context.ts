// Build context: the information about the build that every component gets in
// addition to its own configuration.

/** What a build does when a step fails: the value of `-on-error`. */
export type OnError =
  | "cleanup"
  | "abort"
  | "ask"
  | "run-cleanup-provisioner";

/** The build that a component is a part of. */
export interface BuildContext {
  /** The build's name: the builder's `name`, or else its `type`. */
  readonly name: string;
  /** The builder's `type` as the template has it. */
  readonly type: string;
  /** The template's absolute path; undefined when it was read from stdin. */
  readonly templatePath?: string;
  /** The directory that relative paths in the template start from. */
  readonly workingDirectory: string;
  /**
   * The user variables that the component's own configuration reads, with
   * their final values.
   */
  readonly userVariables: Readonly<Record<string, string>>;
  /** The names of the variables whose values must not be shown. */
  readonly sensitiveVariables: readonly string[];
  /** True under `-debug`: pause between steps. */
  readonly debug: boolean;
  /** True under `-force`: replace artifacts that exist. */
  readonly force: boolean;
  /** What to do when a step fails. */
  readonly onError: OnError;
  /** baler's version. */
  readonly coreVersion: string;
  /** The Packer version whose templates this baler reads. */
  readonly packerVersion: string;
  /**
   * The names that ``{{build `NAME`}}`` accepts, in addition to those that every
   * builder publishes; undefined until the builder is prepared.
   */
  readonly generatedData?: readonly string[];
  /** When the host started, for `timestamp` and `isotime` in templates. */
  readonly startedAt: Date;
}
