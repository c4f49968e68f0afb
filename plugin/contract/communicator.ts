// Communicator: the connection to the machine that is being built. A
// provisioner uses it without knowing whether it is ssh, a container or this
// very machine.

/** A command to run on the machine that is being built. */
export interface RemoteCommand {
  /** The command line, for the machine's shell. */
  command: string;
  /** The command's stdin; empty by default. */
  stdin?: ReadableStream<Uint8Array>;
  /** Receives the command's stdout, and is closed at its end; discarded by default. */
  stdout?: WritableStream<Uint8Array>;
  /** Receives the command's stderr, and is closed at its end; discarded by default. */
  stderr?: WritableStream<Uint8Array>;
  /** Ends the command, and all processes that it has started, when aborted. */
  signal?: AbortSignal;
}

/** A command that was started. */
export interface RunningCommand {
  /**
   * Waits until the command has exited and all its output was delivered.
   *
   * @returns Its exit code.
   * @throws {Error} When the connection to the machine was lost.
   */
  wait(): number | Promise<number>;
}

/** A file to write to the machine that is being built. */
export interface Upload {
  /** The file's path on the machine. */
  path: string;
  /** The file's content. */
  source: ReadableStream<Uint8Array>;
  /** The file's permission bits, for example `0o755`; the machine's default unless given. */
  mode?: number;
  /** The file's size in bytes, when it is known beforehand. */
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
  /** The file's path on the machine. */
  path: string;
  /** Receives the file's content, and is closed at its end. */
  destination: WritableStream<Uint8Array>;
  /** Stops the download when aborted. */
  signal?: AbortSignal;
}

/** A directory to copy to or from the machine that is being built. */
export interface DirectoryTransfer {
  /**
   * The directory to copy. With a trailing `/` its content is copied, without
   * one the directory itself, as rsync does.
   */
  source: string;
  /** The directory that it is copied into. */
  destination: string;
  /** Paths below the source that are not copied. */
  exclude?: string[];
  /** Stops the transfer when aborted. */
  signal?: AbortSignal;
}

/**
 * The connection to a machine that is being built.
 *
 * A builder passes it to the provisioners through the {@linkcode Hook}. They run
 * in other processes: every call is made from there, and streams in its
 * arguments are read and written across processes.
 *
 * After the host has died a provisioner cannot reach the machine any more, and
 * its calls throw. In the builder's process the communicator works as before;
 * what is written there to a stream of a provisioner's is discarded.
 */
export interface Communicator {
  /**
   * Starts a command; does not wait for its exit.
   *
   * @param command The command and its streams.
   * @throws {Error} When it cannot be started.
   */
  start(command: RemoteCommand): RunningCommand | Promise<RunningCommand>;
  /**
   * Writes a file, and replaces one that exists.
   *
   * @param upload The path and the content.
   * @throws {Error} When it cannot be written.
   */
  upload(upload: Upload): void | Promise<void>;
  /**
   * Copies a directory of this machine to the one that is being built.
   *
   * @param transfer The directories.
   * @throws {Error} When it cannot be read here or written there.
   */
  uploadDir(transfer: DirectoryTransfer): void | Promise<void>;
  /**
   * Reads a file.
   *
   * @param download The path and the destination.
   * @throws {Error} When it does not exist or cannot be read.
   */
  download(download: Download): void | Promise<void>;
  /**
   * Copies a directory from the machine that is being built to this one.
   *
   * @param transfer The directories.
   * @throws {Error} When it cannot be read there or written here.
   */
  downloadDir(transfer: DirectoryTransfer): void | Promise<void>;
}
