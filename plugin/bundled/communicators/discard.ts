// The communicator of a build without a machine whose provisioners are to pass
// all the same, as they do in Packer's file builder.

import type {
  Communicator,
  Download,
  RemoteCommand,
  RunningCommand,
  Upload,
} from "../../contract/communicator.ts";

/** Takes everything, does nothing with it, and says that all went well. */
export class DiscardCommunicator implements Communicator {
  /** Does nothing, with success. */
  async start({ stdout, stderr }: RemoteCommand): Promise<RunningCommand> {
    await Promise.all([stdout?.close(), stderr?.close()]);
    return { wait: () => 0 };
  }

  /** Reads the file to its end. */
  async upload({ source, signal }: Upload): Promise<void> {
    await source.pipeTo(new WritableStream(), signal ? { signal } : {});
  }

  /** Does nothing. */
  uploadDir(): void {}

  /** Gives an empty file. */
  async download({ destination }: Download): Promise<void> {
    await destination.close();
  }

  /** Does nothing. */
  downloadDir(): void {}
}
