// The signals that end the program. This module is imported first: until a command
// handles these signals, the program exits with their exit code instead of being
// killed by the signal.

/** The signals that end the program, with the exit code for each. */
export const EXIT_CODES: Partial<Record<Deno.Signal, number>> =
  Deno.build.os === "windows"
    ? { SIGINT: 130 }
    : { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** Handles a signal. */
export type SignalHandler = (signal: Deno.Signal, exitCode: number) => void;

const exitAtOnce: SignalHandler = (_signal, exitCode) => Deno.exit(exitCode);

let handler = exitAtOnce;

/**
 * Sets the handler of all these signals.
 *
 * @param replacement The handler; without one the program exits at once.
 */
export function setSignalHandler(
  replacement: SignalHandler = exitAtOnce,
): void {
  handler = replacement;
}

// The process of the bundled plugin has a handler of its own.
if (Deno.args[0] !== "plugin") {
  for (const [name, exitCode] of Object.entries(EXIT_CODES)) {
    const signal = name as Deno.Signal;
    Deno.addSignalListener(signal, () => handler(signal, exitCode));
  }
}
