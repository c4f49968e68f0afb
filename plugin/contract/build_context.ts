// The build context is what a component learns about the build that it is a
// part of, beside its own configuration.

/** What a build does when a step fails: `-on-error` of `baler build`. */
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
  /** The template's absolute path; absent when it came from stdin. */
  readonly templatePath?: string;
  /** The folder against which the template's relative paths are meant. */
  readonly workingDirectory: string;
  /**
   * The user variables that the component's own configuration reads, with
   * their final values.
   */
  readonly userVariables: Readonly<Record<string, string>>;
  /** The names of those variables whose values are to be kept out of any output. */
  readonly sensitiveVariables: readonly string[];
  /** True under `-debug`: pause between steps. */
  readonly debug: boolean;
  /** True under `-force`: replace artifacts that are in the way. */
  readonly force: boolean;
  /** What happens when a step fails. */
  readonly onError: OnError;
  /** baler's version. */
  readonly coreVersion: string;
  /** The Packer version whose templates this baler reads. */
  readonly packerVersion: string;
  /**
   * What ``{{build `NAME`}}`` may name beside what every builder publishes;
   * absent while the builder has not told it.
   */
  readonly generatedData?: readonly string[];
  /** When the host started, for `timestamp` and `isotime` in templates. */
  readonly startedAt: Date;
}
