// The error of a promise that must be rejected.

import { within } from "./within.ts";

/**
 * Waits for a promise to be rejected.
 *
 * @param promise The promise.
 * @returns The error that it was rejected with.
 * @throws {Error} When it is resolved, or rejected with something that is no Error.
 */
export async function failure(promise: Promise<unknown>): Promise<Error> {
  let value: unknown;
  try {
    value = await within("the failure", promise);
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`not an Error: ${Deno.inspect(error)}`);
  }
  throw new Error(`no error, but ${Deno.inspect(value)}`);
}
