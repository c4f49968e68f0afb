// The console on a terminal: lines that can be edited, called back with the
// arrow keys and completed with Tab.

import { createInterface } from "node:readline";
import process from "node:process";
import { CONSOLE_WORDS, type ConsoleSession } from "./session.ts";

/**
 * The lines that a user types, each after a prompt.
 *
 * @param session Knows what can be completed.
 * @param isTerminal Whether the prompt and what is typed can be shown.
 * @yields The lines. They end with Ctrl-D and with Ctrl-C.
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
    // The line after Ctrl-D would be the shell's prompt otherwise.
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

/** What the last word of a line can become, and that word. */
function completions(
  line: string,
  session: ConsoleSession,
): [found: string[], of: string] {
  const variable = /\{\{[^}]*\buser\s+([`"])([^`"]*)$/.exec(line);
  const [word, choices] = variable === null
    ? [line, CONSOLE_WORDS]
    : [variable[2]!, session.variables.map((name) => name + variable[1])];
  return [choices.filter((choice) => choice.startsWith(word)), word];
}
