// The line editor of the console: lines can be edited, recalled with the arrow
// keys and completed with Tab.

import { createInterface } from "node:readline";
import process from "node:process";
import { CONSOLE_COMMANDS, type ConsoleSession } from "./session.ts";

/**
 * Reads the lines that a user types, each after a prompt.
 *
 * @param session Gives the names for completion.
 * @param isTerminal Whether to show the prompt and the typed line.
 * @yields The lines, until Ctrl-D or Ctrl-C.
 */
export async function* typedLines(
  session: ConsoleSession,
  isTerminal: boolean,
): AsyncGenerator<string> {
  const input = createInterface({
    input: process.stdin,
    ...(isTerminal ? { output: process.stdout } : {}),
    prompt: isTerminal ? "> " : "",
    terminal: isTerminal && Deno.env.get("TERM") !== "dumb",
    completer: (line: string) => completions(line, session),
  });
  try {
    input.on("SIGINT", () => input.close());
    // After Ctrl-D the shell's prompt begins on a new line.
    let isAnswered = false;
    input.on("close", () => {
      if (isTerminal && !isAnswered) process.stdout.write("\n");
    });
    const lines = input[Symbol.asyncIterator]();
    for (;;) {
      if (isTerminal) input.prompt();
      const { done, value } = await lines.next();
      if (done) return;
      isAnswered = value.trim() === "exit";
      yield value;
    }
  } finally {
    input.close();
  }
}

/** Returns the completions of the last word of a line, and that word. */
function completions(
  line: string,
  session: ConsoleSession,
): [found: string[], of: string] {
  const variable = /\{\{[^}]*\buser\s+([`"])([^`"]*)$/.exec(line);
  const [word, choices] = variable === null
    ? [line, CONSOLE_COMMANDS]
    : [variable[2]!, session.variables.map((name) => name + variable[1])];
  return [choices.filter((choice) => choice.startsWith(word)), word];
}
