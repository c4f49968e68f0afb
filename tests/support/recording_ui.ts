// A ui that records what it is told, and the build context of a component that runs without a host.

import type { BuildContext } from "../../plugin/contract/build_context.ts";
import type { Progress, Ui } from "../../plugin/contract/ui.ts";

/** A user who records every line, and answers from a list. */
export class RecordingUi implements Ui {
  /** What was shown: `say: ...`, `message: ...`, `error: ...`, `ask: ...`. */
  readonly lines: string[] = [];
  /** Called at each report of progress. */
  onProgress: (progress: Progress) => void = () => {};

  /** @param answers The answers to questions; without one, `ask` throws. */
  constructor(readonly answers: (string | Promise<string>)[] = []) {}

  say(line: string): void {
    this.lines.push(`say: ${line}`);
  }
  message(line: string): void {
    this.lines.push(`message: ${line}`);
  }
  error(line: string): void {
    this.lines.push(`error: ${line}`);
  }
  machine(): void {}
  ask(query: string): string | Promise<string> {
    this.lines.push(`ask: ${query}`);
    const answer = this.answers.shift();
    if (answer === undefined) throw new Error("no available tty");
    return answer;
  }
  progress(progress: Progress): void {
    this.onProgress(progress);
  }
}

/**
 * The context of a build.
 *
 * @param workingDirectory The build's working directory.
 * @param changes What differs from a build that was started without flags.
 */
export function buildContext(
  workingDirectory: string,
  changes: Partial<BuildContext> = {},
): BuildContext {
  return {
    name: "vm",
    type: "null",
    workingDirectory,
    userVariables: {},
    sensitiveVariables: [],
    debug: false,
    force: false,
    onError: "cleanup",
    coreVersion: "0.1.0",
    packerVersion: "1.6.6",
    startedAt: new Date(0),
    ...changes,
  };
}
