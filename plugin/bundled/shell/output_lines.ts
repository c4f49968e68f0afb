// A command's output, line by line for people, as it comes.

import type { Ui } from "../../contract/ui.ts";

/** A line without an end is shown in parts of this many characters. */
const LONGEST = 256 * 1024;

/**
 * Takes a command's output, and shows it line by line.
 *
 * @param show Shows a line; a slow one slows the command down.
 * @returns What the output is written to. Closing it shows a last line that has no end.
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
      if (rest.length < LONGEST) return;
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

// A progress bar draws over itself with carriage returns: what it shows last is
// what a terminal would show.
function clean(line: string): string {
  const shown = line.trimEnd();
  return shown.slice(shown.lastIndexOf("\r") + 1);
}

/**
 * Where the output of a command goes to be shown: its stdout as details, its
 * stderr as errors.
 *
 * @param ui Where it shows.
 */
export function pipeToUi(
  ui: Ui,
): { stdout: WritableStream<Uint8Array>; stderr: WritableStream<Uint8Array> } {
  return {
    stdout: outputLines((line) => ui.message(line)),
    stderr: outputLines((line) => ui.error(line)),
  };
}
