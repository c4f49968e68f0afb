// The communicator "none": there is no machine, and whoever needs one is told.

import type {
  Communicator,
  RemoteCommand,
  RunningCommand,
} from "../../contract/communicator.ts";

/** Packer's communicator "none": commands do nothing, and no file can be copied. */
export class NoneCommunicator implements Communicator {
  /** Does nothing, with success. */
  async start({ stdout, stderr }: RemoteCommand): Promise<RunningCommand> {
    await Promise.all([stdout?.close(), stderr?.close()]);
    return { wait: () => 0 };
  }

  /**
   * Refuses, since there is nowhere to copy.
   *
   * @throws {Error} Always.
   */
  upload(): never {
    throw notImplemented("Upload");
  }

  /**
   * Refuses, since there is nowhere to copy.
   *
   * @throws {Error} Always.
   */
  uploadDir(): never {
    throw notImplemented("UploadDir");
  }

  /**
   * Refuses, since there is nowhere to copy.
   *
   * @throws {Error} Always.
   */
  download(): never {
    throw notImplemented("Download");
  }

  /**
   * Refuses, since there is nowhere to copy.
   *
   * @throws {Error} Always.
   */
  downloadDir(): never {
    throw notImplemented("DownloadDir");
  }
}

function notImplemented(what: string): Error {
  return new Deno.errors.NotSupported(
    `${what} is not implemented when communicator = 'none'`,
  );
}
