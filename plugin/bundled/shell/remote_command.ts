// Runs one command on the machine that is being built, and shows its output.

import type { Communicator } from "../../contract/communicator.ts";
import type { Ui } from "../../contract/ui.ts";
import { pipeToUi } from "./output_lines.ts";

/** The exit status by which Packer reports that the connection to the machine was lost. */
export const DISCONNECTED = 2300218;

/** What {@linkcode runRemoteCommand} runs, and where. */
export interface RemoteCommandOptions {
  /** The command line, for the machine's own shell. */
  command: string;
  /** The machine. */
  communicator: Communicator;
  /** Where its output is shown; it is dropped unless given. */
  ui?: Ui;
  /** Gets a copy of its stdout, decoded as UTF-8. */
  onStdout?: (text: string) => void;
  /** Ends the command when aborted. */
  signal?: AbortSignal;
}

/**
 * Runs a command and waits for its end.
 *
 * @param options The command, and where its output goes.
 * @returns Its exit status; {@linkcode DISCONNECTED} when the connection was lost while it ran.
 * @throws {Error} When it cannot be started.
 * @throws {unknown} The signal's reason, when it is aborted.
 */
export async function runRemoteCommand(
  { command, communicator, ui, onStdout, signal }: RemoteCommandOptions,
): Promise<number> {
  const { stdout, stderr } = ui === undefined
    ? { stdout: undefined, stderr: undefined }
    : pipeToUi(ui);
  const running = await communicator.start({
    command,
    ...(stdout === undefined
      ? {}
      : { stdout: onStdout === undefined ? stdout : tee(stdout, onStdout) }),
    ...(stderr === undefined ? {} : { stderr }),
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    return await running.wait();
  } catch (error) {
    signal?.throwIfAborted();
    console.error(`The connection was lost: ${error}`);
    return DISCONNECTED;
  }
}

/** A stream that reports its text and passes its bytes on. */
function tee(
  destination: WritableStream<Uint8Array>,
  report: (text: string) => void,
): WritableStream<Uint8Array> {
  const decoder = new TextDecoder();
  const writer = destination.getWriter();
  return new WritableStream({
    write(chunk) {
      report(decoder.decode(chunk, { stream: true }));
      return writer.write(chunk);
    },
    close() {
      report(decoder.decode());
      return writer.close();
    },
    abort: (reason) => writer.abort(reason),
  });
}
