// How much is measured: in full, and in about a minute.

/** How often and how much. */
export interface Sizes {
  /** Rounds of one build, of eight builds, of `version`. */
  readonly builds: number;
  readonly manyBuilds: number;
  readonly versions: number;
  /** Rounds of calls, and the calls of one round. */
  readonly calls: number;
  readonly sequential: number;
  readonly concurrent: number;
  readonly rich: number;
  readonly bytes: number;
  /** Rounds of a stream, and its bytes. */
  readonly streams: number;
  readonly streamBytes: number;
  /** Rounds of lines, and their number. */
  readonly says: number;
  readonly lines: number;
  /** Rounds of a log, and its bytes. */
  readonly logs: number;
  readonly logBytes: number;
  /** Rounds of a first call; rounds of launches, and their number. */
  readonly firstCalls: number;
  readonly launches: number;
  readonly launched: number;
  /** How often each size of an argument is sent. */
  readonly repeats: number;
}

const MIB = 2 ** 20;

/** The content of the table in docs/performance.md. */
export const FULL: Sizes = {
  builds: 15,
  manyBuilds: 5,
  versions: 21,
  calls: 7,
  sequential: 10_000,
  concurrent: 50_000,
  rich: 10_000,
  bytes: 100,
  streams: 3,
  streamBytes: 1024 * MIB,
  says: 3,
  lines: 100_000,
  logs: 3,
  logBytes: 1024 * MIB,
  firstCalls: 31,
  launches: 3,
  launched: 200,
  repeats: 9,
};

/** The same in about a minute. */
export const QUICK: Sizes = {
  builds: 3,
  manyBuilds: 1,
  versions: 5,
  calls: 3,
  sequential: 2_000,
  concurrent: 10_000,
  rich: 4_000,
  bytes: 20,
  streams: 1,
  streamBytes: 256 * MIB,
  says: 1,
  lines: 20_000,
  logs: 1,
  logBytes: 128 * MIB,
  firstCalls: 7,
  launches: 1,
  launched: 20,
  repeats: 3,
};
