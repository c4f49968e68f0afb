// Steps: a builder's run as a list of things that are done in order and undone
// in reverse, as in Packer's multistep package.

import { askOnError } from "./ask_on_error.ts";
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
   * True when `cleanup` is for errors in the provisioners: it is then called
   * with `-on-error=run-cleanup-provisioner` too.
   */
  readonly isErrorCleanup?: boolean;
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

/**
 * Runs steps in order, and then cleans them up in reverse order: each once,
 * whatever fails, also after the host has died.
 *
 * - `-debug` pauses after each step and before each cleanup.
 * - `-on-error=cleanup` cleans up after a failure; `abort` cleans nothing up, and
 *   says which steps it leaves; `run-cleanup-provisioner` cleans up errors of the
 *   provisioners alone; `ask` asks whether to clean up, to abort, or to run the
 *   step again.
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
    if (!(error instanceof Aborted)) {
      const failures = await cleanUp(begun, state, context);
      throw withCleanupFailure(error, failures);
    }
    const isKept = (step: Step<State>) =>
      build.onError === "run-cleanup-provisioner" && step.isErrorCleanup;
    const failures = await cleanUp(begun.filter(isKept), state, context);
    await sayAborted(begun.filter((step) => !isKept(step)), error, context);
    throw withCleanupFailure(error.cause, failures);
  }
  const failures = await cleanUp(begun, state, context);
  if (failures.length > 0) {
    throw new Error("some steps could not be cleaned up", {
      cause: failures.length === 1 ? failures[0] : new AggregateError(failures),
    });
  }
}

/** The error of the run; with that of the error-cleanup provisioner, as Packer tells it. */
function withCleanupFailure(
  error: unknown,
  failures: readonly CleanupFailure[],
): unknown {
  const failure = failures.find(({ step }) => step.isErrorCleanup);
  if (failure === undefined) return error;
  return new Error(
    `Cleanup failed: ${messageOf(failure.cause)}. ` +
      `Original Provisioning error: ${messageOf(error)}`,
    { cause: error },
  );
}

/** A step whose cleanup failed. */
class CleanupFailure extends Error {
  constructor(readonly step: Step<never>, cause: unknown) {
    super(`Cleanup of step "${step.name}" failed: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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
          const choice = await askOnError(step.name, error, ui);
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

/** Says what is left as it is. The first step stands for the one that failed. */
async function sayAborted<State>(
  left: readonly Step<State>[],
  { cause, isShown }: Aborted,
  { ui, signal }: StepContext,
): Promise<void> {
  const steps = [...left].reverse();
  const first = steps.shift();
  try {
    if (!isShown) {
      await ui.error(messageOf(cause));
      await ui.error(
        signal.aborted || first === undefined
          ? "Interrupted, aborting..."
          : `Step "${first.name}" failed, aborting...`,
      );
    }
    for (const { name } of steps) {
      await ui.error(`aborted: skipping cleanup of step "${name}"`);
    }
  } catch { /* The host has exited. */ }
}

/** Cleans up, all of it, and returns what failed. */
async function cleanUp<State>(
  begun: readonly Step<State>[],
  state: State,
  { ui, signal, build }: StepContext,
): Promise<CleanupFailure[]> {
  const failures: CleanupFailure[] = [];
  for (const step of [...begun].reverse()) {
    if (!step.cleanup) continue;
    if (build.debug) {
      await pause(ui, signal, `Pausing before cleanup of step '${step.name}'.`)
        .catch(() => {});
    }
    try {
      await step.cleanup(state, ui);
    } catch (error) {
      const failure = new CleanupFailure(step, error);
      failures.push(failure);
      // The error of the run has it.
      if (step.isErrorCleanup) continue;
      try {
        await ui.error(failure.message);
      } catch { /* The host has exited. */ }
    }
  }
  return failures;
}

/** Waits for the user; not when stdin is closed, nor after a cancellation. */
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
