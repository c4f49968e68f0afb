// Opens the log that BALER_LOG and BALER_LOG_PATH configure, on stderr and in a
// file.

import { setting } from "../config/environment.ts";
import { createLog, type Log, type LogTarget, NO_LOG } from "../log/log.ts";
import type { Redactor } from "../log/redactor.ts";
import type { Screen } from "../terminal/screen.ts";

/**
 * Opens the log that the environment configures.
 *
 * @param redactor Replaces secrets.
 * @param screen The screen, which may be on the same terminal.
 * @throws {Error} When the file cannot be written.
 */
export async function openLog(
  redactor: Redactor,
  screen: Screen,
): Promise<Log> {
  const wanted = setting("LOG");
  if (wanted === undefined || wanted === "" || wanted === "0") {
    return { ...NO_LOG, redact: redactor.redact };
  }
  const stderr = screen.stderrLogTarget();
  const targets: LogTarget[] = [stderr];
  const path = setting("LOG_PATH");
  const onFailure = (error: Error) =>
    screen.writeError(
      `Cannot write to the log file ${path} (BALER_LOG_PATH): ${error.message}. ` +
        "Logging to this file stops; the build continues.",
    );
  if (path !== undefined && path !== "") {
    targets.push(await openFile(path, screen, onFailure));
  }
  return createLog({
    targets,
    get redact() {
      return redactor.hasSecrets ? redactor.redact : undefined;
    },
    onFailure: (_target, error) => onFailure(error as Error),
  });
}

/** Opens the log file. A regular file is written synchronously, so that it is complete when the host dies; a FIFO through a queue. */
async function openFile(
  path: string,
  screen: Screen,
  onError: (error: Error) => void,
): Promise<LogTarget> {
  try {
    // Opening a FIFO waits for its reader.
    const file = await Deno.open(path, {
      write: true,
      create: true,
      truncate: true,
      // Only the user may read what plugins write.
      mode: 0o600,
    });
    if ((await file.stat()).isFile) return file;
    return screen.queuedLogTarget({
      write: (bytes) => file.write(bytes),
      onError,
    });
  } catch (error) {
    const why = error instanceof Deno.errors.NotCapable
      ? "Deno does not open files in /dev, /proc and /sys; use another path"
      : (error as Error).message;
    throw new Error(
      `cannot open the log file ${path} (BALER_LOG_PATH): ${why}`,
    );
  }
}
