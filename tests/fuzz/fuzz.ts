// The fuzzer: feeds mutated sessions to both ends of the wire, each case to a fresh end, and
// reports which cases failed. A case is its number: the same number gives the same bytes.

import { mutated } from "./mutate.ts";
import { Random } from "../support/random.ts";
import { record, type Session } from "./sessions.ts";
import { type End, Subject } from "./subject.ts";
import { workingTime } from "../support/working_time.ts";

/** How much processor time one case may take, in milliseconds. */
const MAX_CASE_MS = 2_000;

/** How much memory one case may take, in bytes. */
const MAX_CASE_BYTES = 200 * 1024 * 1024;

/** After how many cases their memory is looked at: to ask for it takes a tenth of a millisecond. */
const CASES_PER_MEMORY_CHECK = 16;

/** How much more memory may be in use between cases, in bytes. */
const MAX_MEMORY_BYTES = 512 * 1024 * 1024;

/** How many cases share one check for delayed failures. */
const BATCH = 256;

/** A case that broke a promise. */
export interface Find {
  /** Its number, or the name of its file. */
  readonly seed: number | string;
  readonly end: End;
  readonly input: Uint8Array;
  /** What was wrong. */
  readonly what: string;
}

/** Unhandled rejections, which would have ended the process. */
const unhandled: unknown[] = [];
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  unhandled.push(event.reason);
});
globalThis.addEventListener("error", (event) => {
  event.preventDefault();
  unhandled.push(event.error);
});

/** Feeds one input to a fresh end; returns what is wrong then. */
export async function run(
  end: End,
  input: Uint8Array,
  random: Random,
): Promise<string | undefined> {
  const subject = new Subject(end);
  try {
    subject.feed(random, input);
    await subject.answer(random);
  } catch (error) {
    return `receive() threw ${error}`;
  }
  const wrong = await subject.wrong(input);
  await subject.close();
  return wrong;
}

/** Runs a case once more, and returns what is wrong with its cost. */
async function costOf(
  { end, input, random }: ReturnType<typeof caseOf>,
): Promise<string | undefined> {
  const subject = new Subject(end);
  const from = workingTime();
  const memory = memoryOfHere();
  subject.feed(random, input);
  await subject.answer(random);
  const more = memoryOfHere() - memory;
  await subject.close();
  const took = workingTime() - from;
  if (took > MAX_CASE_MS) return `it took ${Math.round(took)} ms`;
  if (more > MAX_CASE_BYTES) return `it took ${more} bytes`;
}

/** The memory of this thread alone, in bytes. */
function memoryOfHere(): number {
  const { heapTotal, external } = Deno.memoryUsage();
  return heapTotal + external;
}

// A stack for each of a million calls would be most of the work.
Error.stackTraceLimit = 2;

/**
 * Runs cases by their numbers; returns their findings.
 *
 * @param first The first number.
 * @param count How many.
 * @param begin Called with each number before its case, for the day it hangs.
 */
export async function fuzz(
  first: number,
  count: number,
  begin: (seed: number) => void = () => {},
): Promise<Find[]> {
  const session = await record();
  const finds: Find[] = [];
  await later();
  unhandled.length = 0;
  const before = Deno.memoryUsage().rss;
  for (let seed = first; seed < first + count; seed += BATCH) {
    const end = Math.min(seed + BATCH, first + count);
    let memory = memoryOfHere();
    for (let one = seed; one < end; one++) {
      begin(one);
      const find = await runSeed(session, one);
      if (find !== undefined) finds.push(find);
      if (one % CASES_PER_MEMORY_CHECK !== 0) continue;
      const now = memoryOfHere();
      if (now - memory > MAX_CASE_BYTES) {
        const from = Math.max(seed, one - CASES_PER_MEMORY_CHECK);
        finds.push(...await costly(session, from, one + 1));
      }
      memory = memoryOfHere();
    }
    await later();
    if (unhandled.length > 0) finds.push(...await culprits(session, seed, end));
    const more = Deno.memoryUsage().rss - before;
    if (more > MAX_MEMORY_BYTES) {
      finds.push({ ...caseOf(session, seed), what: `${more} bytes are held` });
      break;
    }
  }
  return finds;
}

/** What a case feeds to which end. */
export function caseOf(
  session: Session,
  seed: number,
): { seed: number; end: End; input: Uint8Array; random: Random } {
  const random = new Random(seed);
  const end = random.of<End>(["host", "plugin"]);
  const messages = end === "host" ? session.ofPlugin : session.ofHost;
  return { seed, end, input: mutated(random, messages), random };
}

/** Finds the cases that take too much. */
async function costly(
  session: Session,
  first: number,
  end: number,
): Promise<Find[]> {
  const finds: Find[] = [];
  for (let seed = first; seed < end; seed++) {
    const what = await costOf(caseOf(session, seed));
    if (what !== undefined) finds.push({ ...caseOf(session, seed), what });
  }
  return finds;
}

async function runSeed(
  session: Session,
  seed: number,
): Promise<Find | undefined> {
  const { end, input, random } = caseOf(session, seed);
  const begin = performance.now();
  let what = await run(end, input, random);
  // Other processes stretch this time: a case that exceeds it is measured exactly.
  if (performance.now() - begin > MAX_CASE_MS) {
    what ??= await costOf(caseOf(session, seed));
  }
  return what === undefined ? undefined : { seed, end, input, what };
}

/** Finds the cases of a batch that left an unhandled rejection. */
async function culprits(
  session: Session,
  first: number,
  end: number,
): Promise<Find[]> {
  const finds: Find[] = [];
  for (let seed = first; seed < end; seed++) {
    unhandled.length = 0;
    const one = caseOf(session, seed);
    await run(one.end, one.input, one.random);
    await later();
    if (unhandled.length === 0) continue;
    finds.push({ ...one, what: `unhandled rejection: ${unhandled[0]}` });
  }
  unhandled.length = 0;
  return finds;
}

/** What is left over from a case happens before this resolves. */
function later(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
