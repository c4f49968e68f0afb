// A semaphore: bounds how many tasks run at a time.

/** Runs a bounded number of tasks at a time; the others wait in order. */
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
   * Runs a task when fewer than the maximum are running.
   *
   * @param task The task.
   * @returns The result of the task.
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
