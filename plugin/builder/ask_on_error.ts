// The question of -on-error=ask: what to do about a step that failed.

import type { Ui } from "../contract/ui.ts";

/**
 * Shows the error and asks what to do about the step.
 *
 * @param step The step's name.
 * @param error What it failed with.
 * @param ui Where it is asked.
 * @returns The answer; `"cleanup"` when nobody can answer: the build was
 * cancelled, or stdin is closed.
 */
export async function askOnError(
  step: string,
  error: unknown,
  ui: Ui,
): Promise<"cleanup" | "abort" | "retry"> {
  await ui.error(error instanceof Error ? error.message : String(error));
  await ui.say(`Step "${step}" failed`);
  for (;;) {
    let answer: string;
    try {
      answer = (await ui.ask(
        "[c] Clean up and exit, [a] abort without cleanup, or [r] retry step?",
      )).trim().toLowerCase();
    } catch {
      return "cleanup";
    }
    switch (answer[0]) {
      case "c":
        return "cleanup";
      case "a":
        return "abort";
      case "r":
        return "retry";
      default:
        await ui.say(`Incorrect input: ${JSON.stringify(answer)}`);
    }
  }
}
