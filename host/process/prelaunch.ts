// Prelaunch: spawns a plugin's process before the host knows whether it is
// needed, since the process takes as long to start as the host takes to decide.

import { Child, type ChildOptions } from "./child.ts";

/** What takes the output of a child. */
type Output = Pick<ChildOptions, "stdout" | "onStderr">;

const NO_BYTES = new Uint8Array(0);

/** A process that has been spawned, and not been claimed by a launch. */
class PrelaunchedChild {
  readonly child: Child;
  readonly #key: string;
  #output: Output | undefined;
  /** Its output so far, in order. */
  readonly #buffered: ((output: Output) => void)[] = [];

  constructor(argv: readonly string[], env: Record<string, string>) {
    this.#key = keyOf({ argv, env });
    this.child = new Child({
      argv,
      env,
      stdout: {
        receive: (chunk) =>
          this.#forward(({ stdout }, copy) => stdout.receive(copy), chunk),
        end: () => void this.#forward(({ stdout }) => stdout.end()),
        spliceTarget: () => this.#output?.stdout.spliceTarget(),
        isAnswerNear: () => this.#output?.stdout.isAnswerNear() === true,
      },
      onStderr: (chunk) =>
        this.#forward((output, copy) => output.onStderr(copy), chunk),
    });
  }

  /** Forwards output, or buffers it until a launch has claimed the process. */
  #forward(
    forward: (output: Output, chunk: Uint8Array) => void | Promise<void>,
    chunk: Uint8Array = NO_BYTES,
  ): void | Promise<void> {
    if (this.#output !== undefined) return forward(this.#output, chunk);
    // Copied, since the reader reuses its memory.
    const copy = chunk.slice();
    this.#buffered.push((output) => void forward(output, copy));
  }

  /** Whether a launch would spawn the same process. */
  matches(options: Pick<ChildOptions, "argv" | "env" | "cwd">): boolean {
    return keyOf(options) === this.#key;
  }

  /** Forwards its output, and what is buffered of it. */
  attach(output: Output): void {
    // Not before the constructor of the owner of the output has returned.
    queueMicrotask(() => {
      this.#output = output;
      for (const event of this.#buffered.splice(0)) event(output);
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
 * @param options How it is spawned, and what takes its output.
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
