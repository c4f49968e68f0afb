// The fault matrix: at which moments a plugin goes wrong, and how. The cells are all of their
// combinations; nobody picks them.

/** The moments of a plugin's life, in their order. */
export const MOMENTS = {
  beforeHello: "before it says hello",
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

/** What goes wrong. */
export const FAULTS = {
  exit0: "exits with code 0",
  exit3: "exits with code 3",
  uncaught: "dies of an uncaught exception",
  rejection: "dies of an unhandled rejection",
  sigkill: "is ended by SIGKILL",
  sigsegv: "is ended by SIGSEGV",
  sigstop: "is stopped and never goes on",
  closedStdout: "closes its stdout and lives on",
  loop: "loops without end",
  garbage: "writes 10 MB of garbage to stdout",
  truncated: "writes half a message, then the end of stdout",
} as const;

/** What a plugin does at a moment at which its host is killed. */
export const PAUSES = {
  waiting: "waits until it is told to stop",
  busy: "is busy for 2 s, and hears nothing",
} as const;

/** One of the moments. */
export type MomentName = keyof typeof MOMENTS;

/** One of the faults. */
export type FaultName = keyof typeof FAULTS;

/** One of the pauses. */
export type PauseName = keyof typeof PAUSES;

/** The faults after which the process exists but is silent: only a timeout detects them. */
export const HANGS: ReadonlySet<FaultName> = new Set(["sigstop", "loop"]);

/** The faults after which the process is there at all, and is waited for. */
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
