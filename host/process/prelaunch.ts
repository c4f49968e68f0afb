// Prelaunch: spawns a plugin's process before the host knows whether it is
// needed, since the process takes as long to start as the host takes to decide.

import { Child, type ChildOptions } from "./child.ts";

type OutputSinks = Omit<ChildOptions, "argv" | "env" | "cwd">;

/** A process that has been spawned, and not been claimed by a launch. */
class PrelaunchedChild {
  readonly child: Child;
  readonly #key: string;
  #sinks: OutputSinks | undefined;
  /** Its output so far, in order. */
  #buffered: ((sinks: OutputSinks) => void)[] = [];

  constructor(argv: readonly string[], env: Record<string, string>) {
    this.#key = keyOf({ argv, env });
    const pass = (
      event: "onStdout" | "onStdoutEnd" | "onStderr",
      chunk: Uint8Array = new Uint8Array(),
    ): void | Promise<void> => {
      if (this.#sinks !== undefined) return this.#sinks[event](chunk);
      // Copied, since the reader reuses its memory.
      const copy = chunk.slice();
      this.#buffered.push((sinks) => void sinks[event](copy));
    };
    this.child = new Child({
      argv,
      env,
      onStdout: (chunk) => pass("onStdout", chunk),
      onStdoutEnd: () => void pass("onStdoutEnd"),
      onStderr: (chunk) => pass("onStderr", chunk),
      bypass: () => this.#sinks?.bypass?.(),
      onMoved: () => this.#sinks?.onMoved?.(),
      isAnswerNear: () => this.#sinks?.isAnswerNear?.() === true,
    });
  }

  /** Whether a launch would spawn the same process. */
  matches(options: Pick<ChildOptions, "argv" | "env" | "cwd">): boolean {
    return keyOf(options) === this.#key;
  }

  /** Forwards its output, and what is buffered of it. */
  attach(sinks: OutputSinks): void {
    // The constructor of the sinks' owner must have returned.
    queueMicrotask(() => {
      this.#sinks = sinks;
      for (const event of this.#buffered.splice(0)) event(sinks);
    });
  }
}

function keyOf(
  { argv, env, cwd }: Pick<ChildOptions, "argv" | "env" | "cwd">,
): string {
  // The order of environment variables has no meaning.
  return JSON.stringify([argv, env && Object.entries(env).sort(), cwd]);
}

const prelaunched: PrelaunchedChild[] = [];

/**
 * Spawns a process that is likely to be launched, once for each command.
 *
 * @param argv The command and its arguments.
 * @param env Its environment.
 */
export function prelaunch(
  argv: readonly string[],
  env: Record<string, string>,
): void {
  if (prelaunched.some((one) => one.matches({ argv, env }))) return;
  prelaunched.push(new PrelaunchedChild(argv, env));
}

/**
 * Returns the process of a launch: the prelaunched one where it is the same, or
 * a new one.
 *
 * @param options How it is spawned, and what is called with its output.
 */
export function claimPrelaunchedOrSpawn(options: ChildOptions): Child {
  const index = prelaunched.findIndex((one) => one.matches(options));
  if (index < 0) return new Child(options);
  const [claimed] = prelaunched.splice(index, 1);
  claimed!.attach(options);
  return claimed!.child;
}

/**
 * Kills the prelaunched processes that no launch has claimed. They have nothing
 * to clean up yet.
 */
export async function discardPrelaunched(): Promise<void> {
  await Promise.all(
    prelaunched.splice(0).map(async ({ child }) => {
      child.kill("SIGKILL");
      await child.exited.catch(() => {});
    }),
  );
}
