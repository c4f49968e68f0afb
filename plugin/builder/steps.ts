// Steps: a builder's run as a list of things that are done in order and undone
// in reverse, as in Packer's multistep package.

import type { BuildContext } from "../contract/build_context.ts";
import type { Ui } from "../contract/ui.ts";

/** What the steps of one run share. */
export interface StepContext {
  /** Where steps show what they do. */
  ui: Ui;
  /** Aborted when the build is cancelled. */
  signal: AbortSignal;
  /** The build that the steps are a part of: `debug` and `onError` are honoured. */
  build: Pick<BuildContext, "debug" | "onError">;
}

/**
 * One step of a builder's run.
 *
 * @typeParam State What the steps of the run share: an object that each step
 * reads from and adds to.
 */
export interface Step<State> {
  /** Its name in messages, for example `"CreateMachine"`. */
  readonly name: string;
  /**
   * Does it.
   *
   * @param state What the steps share.
   * @param context The ui and the signal; stop and throw when it is aborted.
   * @throws {Error} When it fails: the steps so far are cleaned up.
   */
  run(state: State, context: StepContext): void | Promise<void>;
  /**
   * Undoes it. Called once, at the end of the run, whether that failed or not,
   * for each step whose `run` was called; also where `run` itself failed half
   * way. There is no limit of time, and no signal: a cleanup that is cancelled
   * leaves something behind.
   *
   * @param state What the steps share.
   * @param ui Where it shows what it does.
   */
  cleanup?(state: State, ui: Ui): void | Promise<void>;
}

/** The answers to what is to be done about a step that failed. */
type Choice = "cleanup" | "abort" | "retry";

/**
 * Runs steps in order, and then cleans them up in reverse order: each once,
 * whatever fails, also after the host has died.
 *
 * - `-debug` pauses after each step and before each cleanup.
 * - `-on-error=cleanup` cleans up after a failure; `abort` and
 *   `run-cleanup-provisioner` clean nothing up, and say which steps they leave;
 *   `ask` asks whether to clean up, to abort, or to run the step again.
 * - A cleanup that fails is shown, and the others go on.
 *
 * @param steps The steps.
 * @param state What they share.
 * @param context The ui, the signal and the build.
 * @throws {unknown} What the step that failed has thrown; the signal's reason
 * when the build was cancelled; an `Error` when only cleanups have failed.
 *
 * @example
 * ```ts
 * import { runSteps, type Step } from "@baler/baler/builder";
 *
 * const create: Step<{ id?: string }> = {
 *   name: "CreateMachine",
 *   run(state) {
 *     state.id = "i-1";
 *   },
 *   cleanup(state, ui) {
 *     ui.say(`Destroying ${state.id}`);
 *   },
 * };
 *
 * const said: string[] = [];
 * await runSteps([create], {}, {
 *   ui: { say: (line: string) => void said.push(line) } as never,
 *   signal: new AbortController().signal,
 *   build: { debug: false, onError: "cleanup" },
 * });
 * console.assert(said[0] === "Destroying i-1");
 * ```
 */
export async function runSteps<State>(
  steps: readonly Step<State>[],
  state: State,
  context: StepContext,
): Promise<void> {
  const { ui, signal, build } = context;
  const begun: Step<State>[] = [];
  try {
    for (const step of steps) {
      signal.throwIfAborted();
      begun.push(step);
      await runStep(step, state, context);
      if (build.debug) {
        await pause(ui, signal, `Pausing after run of step '${step.name}'.`);
      }
    }
    signal.throwIfAborted();
  } catch (error) {
    if (error instanceof Aborted) {
      await sayAborted(begun, error, context);
      throw error.cause;
    }
    // The error of the step says more than one of a cleanup, which was shown.
    await cleanUp(begun, state, context).catch(() => {});
    throw error;
  }
  await cleanUp(begun, state, context);
}

/** A failure after which nothing is cleaned up. */
class Aborted extends Error {
  constructor(cause: unknown, readonly isShown: boolean) {
    super("aborted", { cause });
  }
}

async function runStep<State>(
  step: Step<State>,
  state: State,
  context: StepContext,
): Promise<void> {
  const { ui, signal, build } = context;
  for (;;) {
    try {
      return await step.run(state, context);
    } catch (error) {
      switch (build.onError) {
        case "abort":
        case "run-cleanup-provisioner":
          throw new Aborted(error, false);
        case "ask": {
          if (signal.aborted) throw error;
          const choice = await askAbout(step, error, ui);
          if (choice === "retry") continue;
          if (choice === "abort") throw new Aborted(error, true);
          throw error;
        }
        default:
          throw error;
      }
    }
  }
}

async function sayAborted(
  begun: readonly Step<never>[] | readonly Step<unknown>[],
  { cause, isShown }: Aborted,
  { ui, signal }: StepContext,
): Promise<void> {
  const steps = [...begun].reverse();
  const failed = steps.shift();
  try {
    if (!isShown) {
      await ui.error(String((cause as Error)?.message ?? cause));
      await ui.error(
        signal.aborted
          ? "Interrupted, aborting..."
          : `Step "${failed!.name}" failed, aborting...`,
      );
    }
    for (const { name } of steps) {
      await ui.error(`aborted: skipping cleanup of step "${name}"`);
    }
  } catch { /* The host is gone: nobody reads it. */ }
}

async function cleanUp<State>(
  begun: readonly Step<State>[],
  state: State,
  { ui, signal, build }: StepContext,
): Promise<void> {
  const failures: unknown[] = [];
  for (const step of [...begun].reverse()) {
    if (!step.cleanup) continue;
    if (build.debug) {
      await pause(ui, signal, `Pausing before cleanup of step '${step.name}'.`)
        .catch(() => {});
    }
    try {
      await step.cleanup(state, ui);
    } catch (error) {
      failures.push(error);
      await Promise.resolve(
        ui.error(
          `Cleanup of step "${step.name}" failed: ${
            (error as Error)?.message ?? error
          }`,
        ),
      ).catch(() => {});
    }
  }
  if (failures.length > 0) {
    throw new Error("some steps could not be cleaned up", {
      cause: failures.length === 1 ? failures[0] : new AggregateError(failures),
    });
  }
}

/** Asks what to do about a step that failed; to clean up, where nobody answers. */
async function askAbout(
  step: Pick<Step<unknown>, "name">,
  error: unknown,
  ui: Ui,
): Promise<Choice> {
  await ui.error(String((error as Error)?.message ?? error));
  await ui.say(`Step "${step.name}" failed`);
  for (;;) {
    let answer: string;
    try {
      answer = (await ui.ask(
        "[c] Clean up and exit, [a] abort without cleanup, " +
          "or [r] retry step (build may fail even if retry succeeds)?",
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

/** Waits for the person; not where nobody can be asked, or once cancelled. */
async function pause(ui: Ui, signal: AbortSignal, why: string): Promise<void> {
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<void>();
  const abort = () => aborted.resolve();
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([
      Promise.resolve(ui.ask(`${why} Press enter to continue.`)).catch(
        () => {},
      ),
      aborted.promise,
    ]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
  signal.throwIfAborted();
}
