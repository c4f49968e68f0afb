// The communicator of a build without a machine whose provisioners succeed all
// the same, as in Packer's file builder.

import type {
  Communicator,
  Download,
  RemoteCommand,
  RunningCommand,
  Upload,
} from "../../contract/communicator.ts";

/** Accepts every command and file, discards it, and succeeds. */
export class DiscardCommunicator implements Communicator {
  /** Does nothing, with exit status 0. */
  async start({ stdout, stderr }: RemoteCommand): Promise<RunningCommand> {
    await Promise.all([stdout?.close(), stderr?.close()]);
    return { wait: () => 0 };
  }

  /** Reads the file to its end and discards it. */
  async upload({ source, signal }: Upload): Promise<void> {
    await source.pipeTo(new WritableStream(), signal ? { signal } : {});
  }

  /** Does nothing. */
  uploadDir(): void {}

  /** Writes an empty file. */
  async download({ destination }: Download): Promise<void> {
    await destination.close();
  }

  /** Does nothing. */
  downloadDir(): void {}
}
