// The log that BALER_LOG and BALER_LOG_PATH ask for: on stderr, and in a file.

import { setting } from "../config/environment.ts";
import { createLog, type Log, type LogTarget, NO_LOG } from "../log/log.ts";
import type { Redactor } from "../log/redactor.ts";
import type { Screen } from "../terminal/screen.ts";

/**
 * Opens the log that the environment asks for.
 *
 * @param redactor Takes out what must not be seen.
 * @param screen What may be on the same terminal.
 * @throws {Error} When the file cannot be written.
 */
export function openLog(redactor: Redactor, screen: Screen): Log {
  const wanted = setting("LOG");
  if (wanted === undefined || wanted === "" || wanted === "0") {
    return { ...NO_LOG, redact: redactor.redact };
  }
  const terminal = screen.logTargetAbove(Deno.stderr);
  const targets: LogTarget[] = [terminal];
  const path = setting("LOG_PATH");
  if (path !== undefined && path !== "") targets.push(openFile(path));
  return createLog({
    targets,
    get redact() {
      return redactor.hasSecrets ? redactor.redact : undefined;
    },
    onFailure(target, error) {
      // Nobody reads stderr any more: nobody can be told.
      if (target === terminal) return;
      console.error(
        `The log file ${path} (BALER_LOG_PATH) takes no more: ${
          (error as Error).message
        }. What comes next is not in it; the work goes on.`,
      );
    },
  });
}

function openFile(path: string): LogTarget {
  try {
    return Deno.openSync(path, { write: true, create: true, truncate: true });
  } catch (error) {
    const why = error instanceof Deno.errors.NotCapable
      ? "Deno guards /dev, /proc and /sys; name an ordinary file"
      : (error as Error).message;
    throw new Error(
      `the log file ${path} (BALER_LOG_PATH) cannot be written: ${why}`,
    );
  }
}
