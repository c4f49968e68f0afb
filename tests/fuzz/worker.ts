// Runs cases of the fuzzer in a worker, so that a case that hangs can be terminated.

import { fuzz } from "./fuzz.ts";

/** The task of a worker. */
export interface Task {
  readonly first: number;
  readonly count: number;
  /** Holds the number of the case that runs. */
  readonly current: Int32Array;
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<Task>) => void;
  postMessage(value: unknown): void;
};

scope.onmessage = async ({ data: { first, count, current } }) => {
  try {
    const finds = await fuzz(
      first,
      count,
      (seed) => Atomics.store(current, 0, seed),
    );
    scope.postMessage({ finds });
  } catch (error) {
    // The fuzzer itself is wrong.
    scope.postMessage({ error });
  }
};
