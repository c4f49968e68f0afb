// The errors of one build, told together, as Packer tells them.

/** Everything that went wrong in one build. */
export class AggregateBuildError extends Error {
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
        errors.map((error) => `* ${errorMessage(error)}`).join("\n")
      }`,
    );
    this.errors = errors;
  }
}

/** What an error says to a person. */
export function errorMessage(error: unknown): string {
  if (typeof error === "string" && error !== "") return error;
  if (!(error instanceof Error)) {
    return `a plugin threw ${Deno.inspect(error)} in place of an Error`;
  }
  const message = error.message === "" ? error.name : error.message;
  return error.name === "NotCapable"
    ? `${message}\n(What a plugin may do is said when it is compiled: in its deno.json, "compile": {"permissions": {...}}.)`
    : message;
}

/**
 * All that an error knows of where it comes from, line by line, for the log.
 *
 * @param error What was thrown.
 */
export function formatErrorChain(error: unknown): string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>();
  const add = (one: unknown, before: string) => {
    if (seen.has(one)) return;
    seen.add(one);
    const text = one instanceof Error
      ? one.stack ?? errorMessage(one)
      : Deno.inspect(one);
    for (const line of `${before}${text}`.split("\n")) lines.push(line);
    if (one instanceof AggregateBuildError) {
      for (const part of one.errors) add(part, "");
    }
    if (one instanceof Error && one.cause !== undefined) {
      add(one.cause, "Caused by: ");
    }
  };
  add(error, "");
  return lines;
}
