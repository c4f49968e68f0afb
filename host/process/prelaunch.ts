// A head start: a plugin's process is started before it is known for certain
// that it is needed, since it takes as long to start as the host takes to find
// out.

import { Child, type ChildOptions } from "./child.ts";

type OutputSinks = Omit<ChildOptions, "argv" | "env" | "cwd">;

/** A process that waits for a launch that wants it. */
class PrelaunchedChild {
  readonly child: Child;
  readonly #key: string;
  #takers: OutputSinks | undefined;
  /** What has come from it so far, in order. */
  #kept: ((takers: OutputSinks) => void)[] = [];

  constructor(argv: readonly string[], env: Record<string, string>) {
    this.#key = keyOf({ argv, env });
    const pass = (
      take: "onStdout" | "onStdoutEnd" | "onStderr",
      chunk: Uint8Array = new Uint8Array(),
    ) => {
      if (this.#takers !== undefined) return this.#takers[take](chunk);
      // Copied, since its memory is used again.
      const kept = chunk.slice();
      this.#kept.push((takers) => takers[take](kept));
    };
    this.child = new Child({
      argv,
      env,
      onStdout: (chunk) => pass("onStdout", chunk),
      onStdoutEnd: () => pass("onStdoutEnd"),
      onStderr: (chunk) => pass("onStderr", chunk),
      bypass: () => this.#takers?.bypass?.(),
      onMoved: () => this.#takers?.onMoved?.(),
      isAnswerNear: () => this.#takers?.isAnswerNear?.() === true,
    });
  }

  /** Whether a launch would start the same process. */
  matches(options: ChildOptions): boolean {
    return keyOf(options) === this.#key;
  }

  /** Passes on what it writes, and what it has written. */
  attach(takers: OutputSinks): void {
    // Not before the one that takes it is ready for that.
    queueMicrotask(() => {
      this.#takers = takers;
      for (const event of this.#kept.splice(0)) event(takers);
    });
  }
}

function keyOf(
  { argv, env, cwd }: Pick<ChildOptions, "argv" | "env" | "cwd">,
): string {
  // Variables come in no order.
  return JSON.stringify([argv, env && Object.entries(env).sort(), cwd]);
}

let waiting: PrelaunchedChild | undefined;

/**
 * Starts a process that is likely to be launched.
 *
 * @param argv The command and its arguments.
 * @param env Its environment.
 */
export function prelaunch(
  argv: readonly string[],
  env: Record<string, string>,
): void {
  waiting ??= new PrelaunchedChild(argv, env);
}

/**
 * The process of a launch: the one that had a head start where it is the same,
 * or a new one.
 *
 * @param options What is started, and who takes what it writes.
 */
export function claimPrelaunchedOrSpawn(options: ChildOptions): Child {
  if (!waiting?.matches(options)) return new Child(options);
  const { child } = waiting;
  waiting.attach(options);
  waiting = undefined;
  return child;
}

/**
 * Ends the process that had a head start, unless it has been launched. It has
 * done nothing that it would have to clean up, and nobody is to wait for it to
 * find out by itself that it is not needed.
 */
export async function discardPrelaunched(): Promise<void> {
  const child = waiting?.child;
  waiting = undefined;
  child?.kill("SIGKILL");
  await child?.exited.catch(() => {});
}
