// A session of `baler console`: evaluates the `{{...}}` in each line, and runs the
// console's own commands.

import {
  interpolate,
  type InterpolationContext,
  InterpolationError,
} from "../../../plugin/interpolate/mod.ts";

/** The answer to a line. */
export interface ConsoleAnswer {
  /** The result; empty when there is nothing to show. */
  text: string;
  /** Whether it is an error. */
  isError?: boolean;
  /** Whether the session has ended. */
  isEnd?: boolean;
}

/** The commands of the console. */
export const CONSOLE_COMMANDS: readonly string[] = [
  "exit",
  "help",
  "variables",
];

const HELP = `Type a text with {{...}} in it and press Enter to evaluate it, for
example {{user \`name\`}}, {{isotime "2006-01-02"}} or {{upper "text"}}.

"variables" shows the template's variables with their values.
"exit", Ctrl-D or Ctrl-C quits the console.`;

/** Answers lines. */
export class ConsoleSession {
  readonly #context: InterpolationContext;

  /**
   * @param context The context in which the lines are interpolated.
   */
  constructor(context: InterpolationContext) {
    this.#context = context;
  }

  /** The names of the variables, sorted. */
  get variables(): string[] {
    return Object.keys(this.#context.userVariables ?? {}).sort();
  }

  /**
   * Answers a line.
   *
   * @param input The line.
   */
  answer(input: string): ConsoleAnswer {
    const line = input.trim();
    switch (line) {
      case "":
        return { text: "" };
      case "exit":
        return { text: "", isEnd: true };
      case "help":
        return { text: HELP };
      case "variables":
        return { text: this.#variablesText() };
    }
    try {
      return { text: interpolate(line, this.#context) };
    } catch (error) {
      if (!(error instanceof InterpolationError)) throw error;
      const mark = `${" ".repeat(error.column - 1)}^`;
      const text = `Interpolation error: ${error.reason}\n  ${line}\n  ${mark}`;
      return { text, isError: true };
    }
  }

  #variablesText(): string {
    const { userVariables = {} } = this.#context;
    return this.variables.map((name) => `${name}: ${userVariables[name]},\n`)
      .join("");
  }
}
