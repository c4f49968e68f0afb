// The communicator "none": there is no machine, and a copy of a file is an error.

import type {
  Communicator,
  RemoteCommand,
  RunningCommand,
} from "../../contract/communicator.ts";

/** Packer's communicator "none": commands do nothing, and no file can be copied. */
export class NoneCommunicator implements Communicator {
  /** Does nothing, with exit status 0. */
  async start({ stdout, stderr }: RemoteCommand): Promise<RunningCommand> {
    await Promise.all([stdout?.close(), stderr?.close()]);
    return { wait: () => 0 };
  }

  /**
   * There is nowhere to copy to.
   *
   * @throws {Error} Always.
   */
  upload(): never {
    throw notImplemented("Upload");
  }

  /**
   * There is nowhere to copy to.
   *
   * @throws {Error} Always.
   */
  uploadDir(): never {
    throw notImplemented("UploadDir");
  }

  /**
   * There is nowhere to copy to.
   *
   * @throws {Error} Always.
   */
  download(): never {
    throw notImplemented("Download");
  }

  /**
   * There is nowhere to copy to.
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
