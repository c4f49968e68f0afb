// Shows a command's output line by line, as it comes.

import type { Ui } from "../../contract/ui.ts";

/** A longer line is shown in parts of this many characters. */
const MAX_LINE_CHARACTERS = 256 * 1024;

/**
 * Splits a command's output into lines.
 *
 * @param show Called with each line. While its promise is pending, the command is
 * slowed down.
 * @returns A stream for the output. When it is closed, a last line without a line
 * feed is shown.
 */
export function outputLines(
  show: (line: string) => void | Promise<void>,
): WritableStream<Uint8Array> {
  const decoder = new TextDecoder();
  let rest = "";
  const showAll = async (lines: string[]) => {
    await Promise.all(lines.map((line) => show(clean(line))));
  };
  const add = async (text: string) => {
    if (!text.includes("\n")) {
      rest += text;
      if (rest.length < MAX_LINE_CHARACTERS) return;
      text = rest + "\n";
      rest = "";
    }
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    await showAll(lines);
  };
  return new WritableStream({
    write: (chunk) => add(decoder.decode(chunk, { stream: true })),
    async close() {
      await add(decoder.decode());
      if (rest !== "") await showAll([rest]);
    },
  });
}

// A progress bar overwrites itself with carriage returns: a terminal would show the
// text after the last one.
function clean(line: string): string {
  const shown = line.trimEnd();
  return shown.slice(shown.lastIndexOf("\r") + 1);
}

/**
 * The streams that show a command's output: stdout as messages, stderr as errors.
 *
 * @param ui Where it is shown.
 */
export function pipeToUi(
  ui: Ui,
): { stdout: WritableStream<Uint8Array>; stderr: WritableStream<Uint8Array> } {
  return {
    stdout: outputLines((line) => ui.message(line)),
    stderr: outputLines((line) => ui.error(line)),
  };
}
