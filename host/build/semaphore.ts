// A semaphore bounds how much runs at a time.

/** Runs at most so many tasks at a time; the others wait in their order. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /**
   * @param count How many tasks run at a time.
   */
  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Runs a task as soon as it may.
   *
   * @param task The task.
   * @returns What it returns.
   */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
