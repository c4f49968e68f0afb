// The errors of one build, told together, as Packer tells them.

/** Everything that went wrong in one build. */
export class BuildErrors extends Error {
  /** The error's class, which stays when it crosses to another process. */
  override readonly name = "BuildErrors";
  /** Each of them. */
  readonly errors: readonly unknown[];

  /**
   * @param errors Each of them; at least one.
   */
  constructor(errors: readonly unknown[]) {
    super(
      `${errors.length} error(s) occurred:\n\n${
        errors.map((error) => `* ${messageOf(error)}`).join("\n")
      }`,
    );
    this.errors = errors;
  }
}

/** What an error says to a person. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === "" ? error.name : error.message;
}
