// The driver's side of the measuring programs: reads tasks from
// stdin, a line each, and writes to stdout how many milliseconds it took.

/** The tasks of a program by name; each gets a count or an amount. */
export type Works = Record<string, (count: number) => unknown>;

/**
 * Runs tasks until stdin is closed.
 *
 * @param works What it can do. What a work returns as a number is taken for
 * its time; otherwise it is timed here.
 */
export async function driven(works: Works): Promise<void> {
  let begun = "";
  for await (
    const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  ) {
    const lines = (begun + text).split("\n");
    begun = lines.pop()!;
    for (const line of lines) {
      const [name = "", count] = line.split(" ");
      await Deno.stdout.write(
        new TextEncoder().encode(
          `${await timed(works, name, Number(count))}\n`,
        ),
      );
    }
  }
}

async function timed(
  works: Works,
  name: string,
  count: number,
): Promise<string> {
  const work = works[name];
  if (work === undefined) return `unknown work "${name}"`;
  try {
    const begin = performance.now();
    const result = await work(count);
    return String(
      typeof result === "number" ? result : performance.now() - begin,
    );
  } catch (error) {
    return String(error).replaceAll("\n", " ");
  }
}

/** The small argument that every peer is called with. */
export const SMALL = {
  id: 123456,
  name: "a small argument",
  tags: ["one", "two"],
  ok: true,
  nested: { x: 1.5, y: 2 },
};

/** The same with what plain JSON has no notion of. */
export const RICH = {
  ...SMALL,
  when: new Date(1_700_000_000_000),
  sizes: new Map([["small", 1], ["large", 2]]),
  nothing: undefined,
};

/** A chunk of the size that the rows about bytes use. */
export function mebibyte(): Uint8Array {
  return new Uint8Array(1 << 20).fill(7);
}

/**
 * Calls one after another.
 *
 * @param call Makes one call.
 * @param count How many.
 */
export async function oneAfterAnother(
  call: () => Promise<unknown>,
  count: number,
): Promise<void> {
  for (let index = 0; index < count; index++) await call();
}

/**
 * Calls with 1,000 in flight.
 *
 * @param call Makes one call.
 * @param count How many in all.
 */
export async function thousandUnderWay(
  call: () => Promise<unknown>,
  count: number,
): Promise<void> {
  let left = count;
  const lane = async () => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: 1000 }, lane));
}

/** The tasks of every peer in JavaScript, built from its way to call `echo`. */
export function echoWorks(echo: (value: unknown) => Promise<unknown>): Works {
  const bytes = mebibyte();
  return {
    sequential: (count) => oneAfterAnother(() => echo(SMALL), count),
    concurrent: (count) => thousandUnderWay(() => echo(SMALL), count),
    rich: (count) => thousandUnderWay(() => echo(RICH), count),
    bytes: (count) => oneAfterAnother(() => echo(bytes), count),
  };
}
