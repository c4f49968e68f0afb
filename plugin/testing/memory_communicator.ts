// A machine in memory: a small file system, and commands that the test answers.

import { posix } from "node:path";
import { join, relative } from "@std/path";
import type {
  Communicator,
  DirectoryTransfer,
  Download,
  RemoteCommand,
  RunningCommand,
  Upload,
} from "../contract/communicator.ts";

/** A file of a {@linkcode MemoryCommunicator}. */
export interface MemoryFile {
  /** Its content. */
  readonly content: Uint8Array<ArrayBuffer>;
  /** Its permission bits. */
  readonly mode: number;
}

/** How a {@linkcode MemoryCommunicator} answers a command. */
export interface CommandResult {
  /** The exit code; 0 by default. */
  readonly code?: number;
  /** What the command writes to stdout. */
  readonly stdout?: string;
  /** What the command writes to stderr. */
  readonly stderr?: string;
}

/**
 * Answers a command.
 *
 * @param command The command line.
 * @param stdin What was written to the command's stdin.
 * @returns The result; undefined for exit code 0 and no output.
 * @throws {Error} When the command cannot be started.
 */
export type CommandHandler = (
  command: string,
  stdin: string,
) => CommandResult | void | Promise<CommandResult | void>;

/** The mode of a file for which the sender gives none. */
const DEFAULT_MODE = 0o644;

/**
 * A machine in memory, for tests of provisioners: it keeps the files that are
 * uploaded and records the commands.
 *
 * @example
 * ```ts
 * import { MemoryCommunicator } from "@baler/baler/testing";
 *
 * const machine = new MemoryCommunicator((command) =>
 *   command === "uname" ? { stdout: "Linux\n" } : { code: 127 }
 * );
 * await machine.upload({
 *   path: "/etc/motd",
 *   source: new Blob(["hello\n"]).stream(),
 * });
 * console.log(machine.text("/etc/motd"), machine.commands);
 * ```
 */
export class MemoryCommunicator implements Communicator {
  /** The command lines that were started, in order. */
  readonly commands: string[] = [];
  /** The files of the machine, by path. */
  readonly files: Map<string, MemoryFile> = new Map();
  readonly #handle: CommandHandler;

  /**
   * Makes a machine without files.
   *
   * @param handle Answers the commands; exit code 0 and no output by default.
   */
  constructor(handle: CommandHandler = () => {}) {
    this.#handle = handle;
  }

  /**
   * Returns a file's content as a string.
   *
   * @param path The file's path on the machine.
   * @throws {Error} When there is no such file.
   */
  text(path: string): string {
    return new TextDecoder().decode(this.#file(path).content);
  }

  /** Records a command, and answers it. */
  async start(
    { command, stdin, stdout, stderr, signal }: RemoteCommand,
  ): Promise<RunningCommand> {
    signal?.throwIfAborted();
    this.commands.push(command);
    const input = stdin === undefined
      ? ""
      : await new Response(stdin as BodyInit).text();
    const { code = 0, ...output } = await this.#handle(command, input) ?? {};
    await writeAll(stdout, output.stdout);
    await writeAll(stderr, output.stderr);
    return { wait: () => code };
  }

  /** Keeps a file. */
  async upload(
    { path, source, mode, size, exclusive, signal }: Upload,
  ): Promise<void> {
    signal?.throwIfAborted();
    const key = posix.normalize(path);
    if (exclusive && this.files.has(key)) {
      throw new Error(`${path} exists already`);
    }
    const content = await new Response(source as BodyInit).bytes();
    if (size !== undefined && size !== content.length) {
      throw new Error(
        `${path}: ${content.length} bytes came, ${size} were announced`,
      );
    }
    this.files.set(key, {
      content,
      mode: mode ?? this.files.get(key)?.mode ?? DEFAULT_MODE,
    });
  }

  /** Reads a file. */
  async download({ path, destination, signal }: Download): Promise<void> {
    signal?.throwIfAborted();
    await new Blob([this.#file(path).content]).stream()
      .pipeTo(destination, signal === undefined ? {} : { signal });
  }

  /** Copies a directory of this machine into memory. */
  async uploadDir(
    { source, destination, exclude = [], signal }: DirectoryTransfer,
  ): Promise<void> {
    const base = targetOf(source, destination);
    for await (const path of localFiles(source)) {
      signal?.throwIfAborted();
      const name = relative(source, path).replaceAll("\\", "/");
      if (isExcluded(name, exclude)) continue;
      const { mode } = await Deno.stat(path);
      this.files.set(posix.join(base, name), {
        content: await Deno.readFile(path),
        mode: (mode ?? DEFAULT_MODE) & 0o7777,
      });
    }
  }

  /** Copies a directory of the memory to this machine. */
  async downloadDir(
    { source, destination, exclude = [], signal }: DirectoryTransfer,
  ): Promise<void> {
    const base = targetOf(source, destination);
    const prefix = `${posix.normalize(source).replace(/\/$/, "")}/`;
    const found = [...this.files].filter(([path]) => path.startsWith(prefix));
    if (found.length === 0) throw new Error(`there is no directory ${source}`);
    for (const [path, { content, mode }] of found) {
      signal?.throwIfAborted();
      const name = path.slice(prefix.length);
      if (isExcluded(name, exclude)) continue;
      const target = join(base, name);
      await Deno.mkdir(posix.dirname(target), { recursive: true });
      await Deno.writeFile(target, content, { mode });
    }
  }

  #file(path: string): MemoryFile {
    const file = this.files.get(posix.normalize(path));
    if (file === undefined) throw new Error(`there is no file ${path}`);
    return file;
  }
}

/** The directory that the content of a source goes to, by the rule of rsync. */
function targetOf(source: string, destination: string): string {
  return source.endsWith("/")
    ? destination
    : posix.join(destination, posix.basename(source.replaceAll("\\", "/")));
}

function isExcluded(name: string, exclude: readonly string[]): boolean {
  return exclude.some((path) => name === path || name.startsWith(`${path}/`));
}

async function* localFiles(directory: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory) yield* localFiles(path);
    else yield path;
  }
}

async function writeAll(
  stream: WritableStream<Uint8Array> | undefined,
  text = "",
): Promise<void> {
  const writer = stream?.getWriter();
  if (text !== "") await writer?.write(new TextEncoder().encode(text));
  await writer?.close();
}
