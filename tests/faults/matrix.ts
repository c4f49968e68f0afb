// The fault matrix: the moments at which a plugin fails, and the faults. The cells are all
// combinations.

/** The moments of a plugin's life, in order. */
export const MOMENTS = {
  beforeHello: "before it sends its hello",
  halfHello: "in the middle of its hello",
  afterHello: "after its hello and before the first call",
  prepare: "in prepare",
  uiCall: "in run, with a call to the ui in flight",
  streamIn: "in run, with half a stream received",
  streamOut: "in run, with half a stream sent",
  provision: "in a provisioner, in an upload over a builder's communicator",
  destroy: "in artifact.destroy",
  cleanup: "while it cleans up after Ctrl-C",
  shutdown: "while shutting down",
} as const;

/** The faults. */
export const FAULTS = {
  exit0: "exits with code 0",
  exit3: "exits with code 3",
  uncaught: "dies of an uncaught exception",
  rejection: "dies of an unhandled rejection",
  sigkill: "is killed by SIGKILL",
  sigsegv: "is killed by SIGSEGV",
  sigstop: "is stopped by SIGSTOP",
  closedStdout: "closes its stdout without exiting",
  loop: "runs an endless loop",
  garbage: "writes 10 MB of garbage to stdout",
  truncated: "writes half a message, then the end of stdout",
} as const;

/** What a plugin does at a moment at which its host is killed. */
export const PAUSES = {
  waiting: "waits until it is told to stop",
  busy: "blocks its event loop for 2 s",
} as const;

/** One of the moments. */
export type MomentName = keyof typeof MOMENTS;

/** One of the faults. */
export type FaultName = keyof typeof FAULTS;

/** One of the pauses. */
export type PauseName = keyof typeof PAUSES;

/** The faults after which the process exists but is silent: only a timeout detects them. */
export const HANGS: ReadonlySet<FaultName> = new Set(["sigstop", "loop"]);

/** The faults after which the process still exists, and is waited for. */
export const LIVES_ON: ReadonlySet<FaultName> = new Set([
  ...HANGS,
  "closedStdout",
  "garbage",
  "truncated",
]);

/** Returns the keys of a record, with their type. */
export function names<Name extends string>(
  record: Readonly<Record<Name, unknown>>,
): Name[] {
  return Object.keys(record) as Name[];
}
