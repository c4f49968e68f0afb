// Cancelling over Packer's wire: `Cancel` is a call of its own, beside the one
// that it cancels.

import type { WireConnection } from "./connection.ts";
import type { RpcClient } from "./net_rpc.ts";

/** How long a Go plugin gets from its dial to the context that `Cancel` needs, in milliseconds. */
const CANCEL_DELAY_MS = 50;

/** The reason of a signal that Packer has aborted. */
export function cancelled(): DOMException {
  return new DOMException("the build was cancelled", "AbortError");
}

/**
 * Aborts what is running when Packer's `Cancel` comes, and what is run
 * afterwards, as Go's context does, which a plugin makes only once.
 */
export class CancelSwitch {
  readonly #controller = new AbortController();

  /**
   * @param connection Its end cancels, too.
   */
  constructor(connection: WireConnection) {
    void connection.ended.then((reason) => this.#controller.abort(reason));
  }

  /** Cancels. */
  cancel(): void {
    this.#controller.abort(cancelled());
  }

  /**
   * Runs work.
   *
   * @param work Is given the signal.
   */
  run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return work(this.#controller.signal);
  }
}

/**
 * Calls what a signal cancels. Go plugins of Packer's die of a `Cancel` that
 * comes before their `Run` has got to its context, which it has soon after it
 * has dialled what the call offers.
 *
 * @param service Whose `Cancel` is called, such as `Builder`.
 * @param signal The signal; its abort does not end the wait for the answer.
 * @param call Makes the call.
 * @param dialled Resolves when the callee has dialled what the call offers.
 */
export async function callCancellable(
  client: RpcClient,
  service: string,
  signal: AbortSignal | undefined,
  call: () => Promise<unknown>,
  dialled: Promise<boolean>,
): Promise<unknown> {
  signal?.throwIfAborted();
  let isAnswered = false;
  const cancel = async () => {
    if (!await dialled) return;
    await new Promise((resolve) => setTimeout(resolve, CANCEL_DELAY_MS));
    // A connection that is lost ends the call itself.
    if (!isAnswered) await client.call(`${service}.Cancel`).catch(() => {});
  };
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    return await call();
  } finally {
    isAnswered = true;
    signal?.removeEventListener("abort", cancel);
  }
}
