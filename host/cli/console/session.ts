// What `baler console` answers to a line: the value of the `{{...}}` in it, or
// what one of the console's own words asks for.

import {
  interpolate,
  type InterpolationContext,
  InterpolationError,
} from "../../../plugin/interpolate/mod.ts";

/** The answer to a line. */
export interface ConsoleAnswer {
  /** What it came to; empty when there is nothing to show. */
  text: string;
  /** Whether it is an error. */
  isError?: boolean;
  /** Whether it was the last line. */
  isEnd?: boolean;
}

/** The words that the console knows. */
export const CONSOLE_WORDS: readonly string[] = ["exit", "help", "variables"];

const HELP = `Type a text with {{...}} in it and press Enter to evaluate it, for
example {{user \`name\`}}, {{isotime "2006-01-02"}} or {{upper "text"}}.

"variables" shows the template's variables with their values.
"exit", Ctrl-D or Ctrl-C ends the console.`;

/** Answers lines. */
export class ConsoleSession {
  readonly #context: InterpolationContext;

  /**
   * Begins a session.
   *
   * @param context What the lines are interpolated in.
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
