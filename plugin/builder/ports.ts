// Ports of this machine that are free.

import type { ConfigProblem } from "../contract/config_error.ts";

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

/** The highest port of TCP. */
const MAX_PORT = 65_535;

/**
 * Checks a range of ports.
 *
 * @param config The configuration.
 * @param min The option of the lowest port.
 * @param max The option of the highest port.
 * @param lowest The lowest port that may be given.
 * @returns Every problem, with its path.
 */
export function portRangeProblems<Min extends string, Max extends string>(
  config: Readonly<Record<Min | Max, number>>,
  min: Min,
  max: Max,
  lowest = 1,
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const key of [min, max]) {
    const port = config[key];
    if (!Number.isInteger(port) || port < lowest || port > MAX_PORT) {
      problems.push({
        path: [key],
        message: `${key} must be a port from ${lowest} to ${MAX_PORT}`,
      });
    }
  }
  if (problems.length === 0 && config[min] > config[max]) {
    problems.push({ path: [min], message: `${min} is above ${max}` });
  }
  return problems;
}
