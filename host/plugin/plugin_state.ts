// The state of a plugin's process, as one value: its phase, and why it is shut
// down.

import type { Exit } from "../process/child.ts";
import type { PluginInfo } from "./handshake.ts";
import type { HeartbeatMonitor } from "./heartbeat.ts";

/** The process has been spawned, and has not sent its hello. */
export interface Starting {
  readonly phase: "starting";
}

/** The handshake is complete: the plugin can be called. */
export interface Running {
  readonly phase: "running";
  readonly info: PluginInfo;
  readonly heartbeat: HeartbeatMonitor;
}

/** The process has been told to exit, or has been killed, and still exists. */
export interface Closing {
  readonly phase: "closing";
  /** Absent where the handshake was not completed. */
  readonly info?: PluginInfo;
  /** Why the host killed the process; absent when its owner closed it. */
  readonly reason?: string;
  /** Whether a caller has received an error that reports the failure. */
  readonly isReported: boolean;
}

/** The process has exited, and its output has been read. */
export interface Exited extends Omit<Closing, "phase"> {
  readonly phase: "exited";
  /** How it exited; absent where it could not be spawned. */
  readonly exit?: Exit;
}

/** The state of a plugin's process. */
export type PluginState = Starting | Running | Closing | Exited;

/**
 * Returns the state of a process that is being shut down. The first reason is
 * kept, since later ones are its consequences.
 *
 * @param state The state before.
 * @param reason Why the host kills the process; undefined when its owner closes it.
 * @param isReported Whether a caller has received the error.
 */
export function toClosing(
  state: PluginState,
  reason: string | undefined,
  isReported = false,
): Closing | Exited {
  if (state.phase === "running") state.heartbeat[Symbol.dispose]();
  const before: Partial<Omit<Closing, "phase">> = state.phase === "starting"
    ? {}
    : state;
  const first = before.reason ?? reason;
  const common = {
    ...(before.info === undefined ? {} : { info: before.info }),
    ...(first === undefined ? {} : { reason: first }),
    isReported: before.isReported === true || isReported,
  };
  return state.phase === "exited"
    ? { ...state, ...common }
    : { phase: "closing", ...common };
}

/**
 * Returns the state of a process that has exited.
 *
 * @param state The state before.
 * @param exit How it exited; undefined where it could not be spawned.
 * @param isReported Whether a caller has received the error.
 */
export function toExited(
  state: PluginState,
  exit: Exit | undefined,
  isReported: boolean,
): Exited {
  return {
    ...toClosing(state, undefined, isReported),
    phase: "exited",
    ...(exit === undefined ? {} : { exit }),
  };
}
