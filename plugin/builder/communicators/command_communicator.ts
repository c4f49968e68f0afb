// A communicator for everything that can run a command: a container, a chroot,
// a pod, a host behind ssh. Uploads and downloads are derived from commands.

import { posix } from "node:path";
import type {
  Communicator,
  DirectoryTransfer,
  Download,
  RemoteCommand,
  RunningCommand,
  Upload,
} from "../../contract/communicator.ts";
import { shellQuote } from "../../common/shell_quote.ts";

/** Exit status of a script here when the machine has no `tar`. */
const NO_TAR_STATUS = 97;

/** How much of a failed command's stderr an error shows, in bytes. */
const MAX_STDERR_BYTES = 4096;

/**
 * A communicator that needs `start()` alone. The other methods run POSIX shell
 * scripts through it: the machine needs `sh`, `cat`, `mv`, `rm`, `chmod`, `wc`
 * and `mkdir`, and for directories `tar` (without `tar`, uploading a directory
 * falls back to one command a file).
 *
 * - An upload is written to a temporary file beside its target, with mode 0600
 *   where a mode is given, and renamed when it is complete: nobody sees half a
 *   file. A target that is a symlink or a device is written through.
 * - A path that begins with `~/` is below the home directory of the machine's
 *   user. A relative path is below the directory in which commands start.
 * - A directory keeps its modes and symlinks; files belong to the user that the
 *   command runs as. What is neither a file, a directory nor a symlink is an
 *   error.
 * - A download never leaves the destination directory: names that point out of
 *   it are an error.
 *
 * @example
 * ```ts ignore
 * class PodCommunicator extends CommandCommunicator {
 *   start({ command, ...streams }: RemoteCommand) {
 *     return new LocalProcess({
 *       argv: ["kubectl", "exec", "-i", "pod", "--", "sh", "-c", command],
 *       ...streams,
 *     });
 *   }
 * }
 * ```
 */
export abstract class CommandCommunicator implements Communicator {
  /**
   * Starts a command, and returns when it runs.
   *
   * @param command The command and its streams. Both outputs must be closed
   * when the command has ended.
   * @throws {Error} When it cannot be started.
   */
  abstract start(
    command: RemoteCommand,
  ): RunningCommand | Promise<RunningCommand>;

  /**
   * Starts a command that copies files: `start` unless overridden, where that
   * changes the bytes that go through it, as a terminal does.
   *
   * @param command The command and its streams.
   */
  protected startTransfer(
    command: RemoteCommand,
  ): RunningCommand | Promise<RunningCommand> {
    return this.start(command);
  }

  /**
   * Writes a file.
   *
   * @throws {Error} When it cannot be written, or the source ended early.
   */
  async upload(upload: Upload): Promise<void> {
    if (upload.exclusive) return await this.#uploadExclusive(upload);
    const { path } = upload;
    const temporary = remotePath(temporaryBeside(path));
    const names = `target=${remotePath(path)} temporary=${temporary}\n`;
    const doing = `upload ${path}`;
    try {
      if (upload.size !== undefined) {
        const script = names + RECEIVE + createScript(upload) +
          receivedScript(upload.size) + finishScript(upload);
        return void await this.#run(script, {
          stdin: upload.source,
          signal: upload.signal,
          doing,
        });
      }
      // A command cannot tell the end of its input from a source that failed:
      // the file is renamed when the source has ended well.
      const source = new Source(upload.source);
      await this.#run(names + RECEIVE + createScript(upload), {
        stdin: source.stream,
        signal: upload.signal,
        doing,
      });
      source.check();
      await this.#run(names + finishScript(upload), {
        doing,
      });
    } catch (error) {
      await this.#run(`rm -f -- ${temporary}`, { doing: "clean up" })
        .catch(
          () => {/* The machine may be gone; the first error says more. */},
        );
      throw error;
    }
  }

  async #uploadExclusive(upload: Upload): Promise<void> {
    const { path, signal } = upload;
    const doing = `upload ${path}`;
    const source = new Source(upload.source);
    const target = `target=${remotePath(path)}\n`;
    await this.#run(target + exclusiveScript(upload), {
      stdin: source.stream,
      signal,
      doing,
    });
    try {
      source.check();
    } catch (error) {
      await this.#run(`${target}rm -f -- "$target"`, { doing }).catch(() => {});
      throw error;
    }
  }

  /**
   * Reads a file.
   *
   * @throws {Error} When there is none, or it cannot be read.
   */
  async download({ path, destination, signal }: Download): Promise<void> {
    const writer = destination.getWriter();
    writer.closed.catch(() => {});
    try {
      await this.#run(
        `source=${remotePath(path)}\n` +
          `if [ -d "$source" ]; then echo "it is a directory" >&2; exit 1; fi\n` +
          `exec cat -- "$source"\n`,
        {
          stdout: new WritableStream({ write: (chunk) => writer.write(chunk) }),
          signal,
          doing: `download ${path}`,
        },
      );
    } catch (error) {
      await writer.abort(error).catch(() => {});
      throw error;
    }
    await writer.close();
  }

  /**
   * Copies a directory of this machine there.
   *
   * @throws {Error} When it cannot be read here or written there.
   */
  async uploadDir(transfer: DirectoryTransfer): Promise<void> {
    const { packTree } = await import("./tree.ts");
    const { destination, signal } = transfer;
    const doing = `upload ${transfer.source}`;
    const tree = await packTree(transfer);
    const status = await this.#run(
      `command -v tar >/dev/null || exit ${NO_TAR_STATUS}\n` +
        `destination=${remotePath(destination)}\n` +
        `mkdir -p -- "$destination" && cd -- "$destination" && exec tar -xpof -\n`,
      {
        stdin: tree.archive,
        signal,
        doing,
        allow: [NO_TAR_STATUS],
      },
    ).catch((error) => {
      // An archive that ended early says less than what ended it.
      tree.check();
      throw error;
    });
    if (status === NO_TAR_STATUS) {
      await tree.archive.cancel().catch(() => {});
      await this.#uploadFiles(transfer);
      return;
    }
    tree.check();
  }

  /**
   * Copies a directory, or all that a path with `*`, `?` and `[...]` matches,
   * to this machine.
   *
   * @throws {Error} When it cannot be read there or written here.
   */
  async downloadDir(transfer: DirectoryTransfer): Promise<void> {
    const { source, signal } = transfer;
    const scripts = isPattern(source)
      ? (await this.#parentsOf(source, signal)).map((parent) =>
        archiveMatches(source, parent)
      )
      : [archiveDirectory(source)];
    for (const script of scripts) await this.#downloadArchive(script, transfer);
  }

  async #downloadArchive(
    script: string,
    transfer: DirectoryTransfer,
  ): Promise<void> {
    const { unpackTree } = await import("./tree.ts");
    const { source, signal } = transfer;
    const tree = await unpackTree(transfer);
    try {
      await this.#run(script, {
        ...{ stdout: tree.archive, signal, doing: `download ${source}` },
      });
    } catch (error) {
      await tree.finish(error);
      throw error;
    }
    await tree.finish();
  }

  /** The directories in which there is what a pattern matches: busybox's `tar` takes from one at a time. */
  async #parentsOf(
    pattern: string,
    signal: AbortSignal | undefined,
  ): Promise<string[]> {
    const parents = new Set<string>();
    const decoder = new TextDecoder();
    let text = "";
    await this.#run(
      forMatches(pattern) + `  printf '%s\\0' "$parent"\ndone\n`,
      {
        stdout: new WritableStream({
          write(chunk) {
            const parts = (text + decoder.decode(chunk, { stream: true }))
              .split("\0");
            text = parts.pop()!;
            for (const part of parts) parents.add(part);
          },
        }),
        signal,
        doing: `download ${pattern}`,
      },
    );
    return [...parents];
  }

  /** Uploads a directory file by file, for a machine without `tar`. */
  async #uploadFiles(transfer: DirectoryTransfer): Promise<void> {
    const { walkTree } = await import("./tree.ts");
    const { destination, signal } = transfer;
    for await (const entry of walkTree(transfer)) {
      signal?.throwIfAborted();
      const path = posix.join(destination, entry.name);
      const doing = `upload ${entry.path}`;
      if (entry.kind === "directory") {
        await this.#run(
          `d=${remotePath(path)}; mkdir -p -- "$d" && ` +
            `chmod ${octal(entry.mode)} -- "$d"`,
          { signal, doing },
        );
      } else if (entry.kind === "symlink") {
        await this.#run(
          `l=${remotePath(path)}; rm -f -- "$l" && ` +
            `ln -s -- ${shellQuote(entry.target)} "$l"`,
          { signal, doing },
        );
      } else {
        const file = await Deno.open(entry.path);
        await this.upload({
          path,
          source: file.readable,
          mode: entry.mode,
          size: entry.size,
          ...(signal ? { signal } : {}),
        });
      }
    }
  }

  /** Runs a script with `sh`, whatever shell the machine's user has. */
  async #run(
    script: string,
    { stdin, stdout, signal, doing, allow = [] }: {
      stdin?: ReadableStream<Uint8Array>;
      stdout?: WritableStream<Uint8Array>;
      signal?: AbortSignal | undefined;
      doing: string;
      allow?: readonly number[];
    },
  ): Promise<number> {
    const stderr = new Tail(MAX_STDERR_BYTES);
    const running = await this.startTransfer({
      command: `sh -c ${shellQuote(script)}`,
      ...(stdin ? { stdin } : {}),
      ...(stdout ? { stdout } : {}),
      stderr: stderr.writable,
      ...(signal ? { signal } : {}),
    });
    const status = await running.wait();
    signal?.throwIfAborted();
    if (status === 0 || allow.includes(status)) return status;
    const said = stderr.text();
    throw new Error(
      `cannot ${doing}: ${said || `the command exited with ${status}`}`,
    );
  }
}

/** A stream that ends where its source fails, and remembers the failure. */
class Source {
  readonly stream: ReadableStream<Uint8Array>;
  #failure: { error: unknown } | undefined;

  constructor(source: ReadableStream<Uint8Array>) {
    const reader = source.getReader();
    this.stream = new ReadableStream({
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          this.#failure = { error };
          controller.close();
        }
      },
      cancel: (reason) => reader.cancel(reason),
    });
  }

  /** Throws what the source failed with. */
  check(): void {
    if (this.#failure) throw this.#failure.error;
  }
}

/** Keeps the last bytes of a stream. */
class Tail {
  readonly writable: WritableStream<Uint8Array>;
  #bytes = new Uint8Array();

  constructor(maxBytes: number) {
    this.writable = new WritableStream({
      write: (chunk) => {
        const all = new Uint8Array(this.#bytes.length + chunk.length);
        all.set(this.#bytes);
        all.set(chunk, this.#bytes.length);
        this.#bytes = all.slice(-maxBytes);
      },
    });
  }

  text(): string {
    return new TextDecoder().decode(this.#bytes).trim();
  }
}

/** Whether a path has wildcards, as a shell reads them. */
export function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

/** A path as one shell word, with `~/` for the home directory. */
function remotePath(path: string): string {
  if (path === "~") return '"$HOME"';
  return path.startsWith("~/")
    ? `"$HOME"/${shellQuote(path.slice(2))}`
    : shellQuote(path.startsWith("-") ? `./${path}` : path);
}

function temporaryBeside(path: string): string {
  return posix.join(
    posix.dirname(path),
    `.${posix.basename(path)}.${crypto.randomUUID()}`.slice(-200),
  );
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

// With noclobber the shell creates $target itself, and fails where something is.
function exclusiveScript({ mode, size }: Upload): string {
  return `set -e -C
if ! ( umask 077; : > "$target" ) 2>/dev/null; then
  echo "cannot create $target: something is there, or there is no such directory" >&2; exit 1
fi
set +C
trap 'exit 1' HUP INT TERM
trap '[ $? = 0 ] || rm -f -- "$target"' EXIT
cat > "$target"
${size === undefined ? "" : receivedScript(size, "target")}\
chmod ${
    mode === undefined ? '"$(printf %o $((0666 & ~$(umask))))"' : octal(mode)
  } -- "$target"
`;
}

// The bytes go to $temporary. A target that is no regular file gets them itself,
// and there is no $temporary then.
const RECEIVE = `set -e
if [ -d "$target" ]; then echo "$target is a directory" >&2; exit 1; fi
if [ -L "$target" ] || { [ -e "$target" ] && [ ! -f "$target" ]; }; then
  exec cat > "$target"
fi
trap 'exit 1' HUP INT TERM
trap '[ $? = 0 ] || rm -f -- "$temporary"' EXIT
`;

/** Creates the file, private before its content comes where it has a mode. */
function createScript({ mode }: Upload): string {
  return (mode === undefined
    ? `if [ -e "$target" ]; then cp -p -- "$target" "$temporary"; else : > "$temporary"; fi`
    : `( umask 077; set -C; : > "$temporary" )`) +
    `\ncat > "$temporary"\n`;
}

function receivedScript(size: number, name = "temporary"): string {
  return `received=$(wc -c < "$${name}")
if [ "$received" -ne ${size} ]; then
  echo "received $((received)) of ${size} bytes" >&2; exit 1
fi
`;
}

function finishScript({ mode }: Upload): string {
  return `set -e
if [ -e "$temporary" ]; then
${mode === undefined ? "" : `  chmod ${octal(mode)} -- "$temporary"\n`}\
  mv -f -- "$temporary" "$target"
fi
`;
}

function archiveDirectory(source: string): string {
  const isContent = source.endsWith("/");
  const path = posix.normalize(source).replace(/(.)\/+$/, "$1");
  const parent = isContent ? path : posix.dirname(path);
  const name = isContent ? "." : `./${posix.basename(path)}`;
  return `source=${remotePath(path)}
if [ ! -d "$source" ]; then echo "there is no directory $source" >&2; exit 1; fi
cd -- ${remotePath(parent)} && exec tar -cf - ${shellQuote(name)}
`;
}

/** The start of a loop over what a pattern matches, with `$match` and its directory, `$parent`. */
function forMatches(pattern: string): string {
  const [home, rest] = pattern.startsWith("~/")
    ? [`"$HOME"/`, pattern.slice(2)]
    : ["", pattern.startsWith("-") ? `./${pattern}` : pattern];
  // Everything but the wildcards is quoted.
  const words = home +
    rest.replace(
      /\[[^\]/]*\]|[*?]|[^*?[]+|\[/g,
      (part) => {
        if (part === "*" || part === "?") return part;
        if (!/^\[.+\]$/s.test(part)) return shellQuote(part);
        return part.replace(/[^\w![\]^:-]+/g, (text) => shellQuote(text));
      },
    );
  return `set -e
set -- ${words}
for match; do
  shift
  if [ ! -e "$match" ] && [ ! -L "$match" ]; then
    echo "nothing matches "${shellQuote(pattern)} >&2; exit 1
  fi
  parent=$(cd -- "$(dirname -- "$match")" && pwd)
`;
}

function archiveMatches(pattern: string, parent: string): string {
  return `${forMatches(pattern)}\
  if [ "$parent" = ${shellQuote(parent)} ]; then
    set -- "$@" "./$(basename -- "$match")"
  fi
done
cd -- ${shellQuote(parent)} && exec tar -cf - "$@"
`;
}
