// Ports of this machine that are free.

/**
 * Finds a free port of a range, beginning at a random one so that parallel
 * builds do not meet. Nobody else may have taken it when it is used: try again
 * then.
 *
 * @param min The lowest port.
 * @param max The highest port.
 * @param hostname The address; loopback unless given.
 * @returns The port.
 * @throws {Error} When none is free.
 */
export function freePort(
  min: number,
  max: number,
  hostname = "127.0.0.1",
): number {
  const count = max - min + 1;
  const first = Math.floor(Math.random() * count);
  for (let index = 0; index < count; index++) {
    const port = min + (first + index) % count;
    try {
      Deno.listen({ hostname, port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error(`no port from ${min} to ${max} is free on ${hostname}`);
}
