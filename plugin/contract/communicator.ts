// A communicator is how a provisioner reaches the machine that is being built,
// without knowing whether that is by ssh, into a container, or right here.

/** A command to run on the machine that is being built. */
export interface RemoteCommand {
  /** The command line, for the machine's own shell. */
  command: string;
  /** What the command reads; nothing unless given. */
  stdin?: ReadableStream<Uint8Array>;
  /** Where its output goes; dropped unless given. Closed at its end. */
  stdout?: WritableStream<Uint8Array>;
  /** Where its errors go; dropped unless given. Closed at its end. */
  stderr?: WritableStream<Uint8Array>;
  /** Ends the command, and all it started, when aborted. */
  signal?: AbortSignal;
}

/** A command that was started. */
export interface RunningCommand {
  /**
   * Waits until the command has ended and all its output was delivered.
   *
   * @returns Its exit status.
   * @throws {Error} When the connection to the machine was lost.
   */
  wait(): number | Promise<number>;
}

/** A file to write on the machine that is being built. */
export interface Upload {
  /** Where it goes there. */
  path: string;
  /** Its content. */
  source: ReadableStream<Uint8Array>;
  /** Its permission bits, for example `0o755`; the machine's default unless given. */
  mode?: number;
  /** Its length in bytes, where it is known beforehand. */
  size?: number;
  /**
   * True to fail if there is something at the path, a symlink included. For a
   * script or a secret in a directory in which others can write. A communicator
   * that cannot do this ignores it.
   */
  exclusive?: boolean;
  /**
   * True for a file that its sender removes when it is done. A communicator
   * removes it if the sender can no longer do so, if that is possible.
   */
  temporary?: boolean;
  /** Stops the upload when aborted. */
  signal?: AbortSignal;
}

/** A file to read from the machine that is being built. */
export interface Download {
  /** Where it is there. */
  path: string;
  /** What takes its content; closed at its end. */
  destination: WritableStream<Uint8Array>;
  /** Stops the download when aborted. */
  signal?: AbortSignal;
}

/** A folder to copy to or from the machine that is being built. */
export interface DirectoryTransfer {
  /**
   * The folder to copy. With a `/` at its end its content is copied, without
   * one the folder itself, as rsync does.
   */
  source: string;
  /** The folder it goes to. */
  destination: string;
  /** Paths below the source to leave out. */
  exclude?: string[];
  /** Stops the transfer when aborted. */
  signal?: AbortSignal;
}

/**
 * The way to a machine that is being built.
 *
 * A builder makes it and hands it to its provisioners through the
 * {@linkcode Hook}; theirs is a process of their own, and the streams in these
 * calls reach from there to here.
 */
export interface Communicator {
  /**
   * Starts a command, and returns as soon as it runs.
   *
   * @throws {Error} When it cannot be started.
   */
  start(command: RemoteCommand): RunningCommand | Promise<RunningCommand>;
  /**
   * Writes a file, in place of one that is there.
   *
   * @throws {Error} When it cannot be written.
   */
  upload(upload: Upload): void | Promise<void>;
  /**
   * Copies a folder of this machine there.
   *
   * @throws {Error} When it cannot be read here or written there.
   */
  uploadDir(transfer: DirectoryTransfer): void | Promise<void>;
  /**
   * Reads a file.
   *
   * @throws {Error} When there is none, or it cannot be read.
   */
  download(download: Download): void | Promise<void>;
  /**
   * Copies a folder from there to this machine.
   *
   * @throws {Error} When it cannot be read there or written here.
   */
  downloadDir(transfer: DirectoryTransfer): void | Promise<void>;
}
