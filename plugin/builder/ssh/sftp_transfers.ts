// The copies of files over ssh by SFTP: what CommandCommunicator does with shell
// commands, for a machine where sshd's subsystem is to do it.

import { posix } from "node:path";
import { join, resolve } from "@std/path";
import type {
  DirectoryTransfer,
  Download,
  Upload,
} from "../../contract/communicator.ts";
import { isPattern } from "../communicators/command_communicator.ts";
import { type TreeEntry, walkTree } from "../communicators/tree.ts";
import { OPEN, type SftpAttributes, SftpClient } from "./sftp_client.ts";
import type { SshConnection } from "./ssh_connection.ts";

/** How many files of a directory are copied at a time. */
const MAX_FILES_IN_FLIGHT = 16;

/** How often a session is opened when the connection broke. */
const MAX_OPEN_ATTEMPTS = 3;

/** Copies files by SFTP, over one session that all copies share. */
export class SftpTransfers {
  readonly #connection: SshConnection;
  #client: Promise<SftpClient> | undefined;

  /**
   * Opens nothing yet.
   *
   * @param connection The connection, which ends the session with itself.
   */
  constructor(connection: SshConnection) {
    this.#connection = connection;
  }

  /** Writes a file, as {@linkcode Communicator.upload} has it. */
  async upload(
    { path, source, mode, size, exclusive = false, signal }: Upload,
  ): Promise<void> {
    const target = remotePath(path);
    await this.#with(`upload ${path}`, signal, async (client) => {
      const there = await client.stat(target, false);
      if (there && exclusive) throw new Error("it exists");
      const led = there?.kind === "symlink"
        ? await client.stat(target, true)
        : there;
      if (led?.kind === "directory") throw new Error("it is a directory");
      const isDirect = exclusive ||
        (there !== undefined && there.kind !== "file");
      const written = isDirect ? target : posix.join(
        posix.dirname(target),
        `.${posix.basename(target)}.${crypto.randomUUID()}`.slice(-200),
      );
      const isNew = !isDirect || exclusive;
      const wanted = mode ?? (isDirect ? undefined : there?.mode);
      try {
        await client.withFile(
          written,
          isNew ? OPEN.write | OPEN.create | OPEN.exclusive : OPEN.write |
            (led?.kind === "other" ? 0 : OPEN.create | OPEN.truncate),
          mode === undefined || !isNew ? undefined : 0o600,
          async (handle) => {
            const length = await client.write(handle, source, signal);
            if (size !== undefined && length !== size) {
              throw new Error(`received ${length} of ${size} bytes`);
            }
            if (wanted !== undefined && led?.kind !== "other") {
              await client.setHandleMode(handle, wanted);
            }
          },
        );
        if (!isDirect) await client.rename(written, target);
      } catch (error) {
        if (isNew) await client.remove(written).catch(() => {});
        throw error;
      }
    }).catch(async (error) => {
      if (!source.locked) await source.cancel(error).catch(() => {});
      throw error;
    });
  }

  /** Reads a file, as {@linkcode Communicator.download} has it. */
  async download({ path, destination, signal }: Download): Promise<void> {
    const writer = destination.getWriter();
    writer.closed.catch(() => {});
    try {
      await this.#with(`download ${path}`, signal, async (client) => {
        const source = remotePath(path);
        const there = await client.stat(source, true);
        if (there?.kind === "directory") throw new Error("it is a directory");
        await client.withFile(
          source,
          OPEN.read,
          undefined,
          (handle) =>
            client.read(handle, (chunk) => writer.write(chunk), signal),
        );
      });
    } catch (error) {
      await writer.abort(error).catch(() => {});
      throw error;
    }
    await writer.close();
  }

  /** Copies a directory there, as {@linkcode Communicator.uploadDir} has it. */
  async uploadDir(transfer: DirectoryTransfer): Promise<void> {
    const { source, destination, signal } = transfer;
    await this.#with(`upload ${source}`, signal, async (client) => {
      const root = remotePath(destination);
      await makeDirectories(client, root);
      const directories: [path: string, mode: number][] = [];
      const pool = new Pool(MAX_FILES_IN_FLIGHT);
      for await (const entry of walkTree(transfer)) {
        signal?.throwIfAborted();
        const path = posix.join(root, entry.name);
        if (entry.kind === "directory") {
          await makeDirectories(client, path);
          directories.push([path, entry.mode]);
        } else await pool.add(() => putEntry(client, path, entry, signal));
      }
      await pool.done();
      // At the end, since a directory may be one that nothing can be written to.
      for (const [path, mode] of directories.reverse()) {
        await client.setMode(path, mode);
      }
    });
  }

  /** Copies a directory here, as {@linkcode Communicator.downloadDir} has it. */
  async downloadDir(
    { source, destination, exclude = [], signal }: DirectoryTransfer,
  ): Promise<void> {
    await this.#with(`download ${source}`, signal, async (client) => {
      const root = resolve(destination);
      await Deno.mkdir(root, { recursive: true });
      const pool = new Pool(MAX_FILES_IN_FLIGHT);
      const excluded = exclude.map((path) => posix.normalize(path));
      const get = async (
        from: string,
        to: string,
        { kind, mode }: SftpAttributes,
        below: string,
      ): Promise<void> => {
        signal?.throwIfAborted();
        if (below !== "" && excluded.includes(below)) return;
        if (kind === "directory") {
          await localDirectory(to);
          const entries = await client.list(from);
          for (const { name, attributes } of entries) {
            await get(
              posix.join(from, name),
              join(to, name),
              attributes,
              posix.join(below, name),
            );
          }
          await pool.done();
          await Deno.chmod(to, mode & 0o777);
          return;
        }
        if (kind === "other") {
          throw new Error(
            `${from} is neither a file, a directory nor a symlink`,
          );
        }
        await pool.add(() => getEntry(client, from, to, kind, mode, signal));
      };
      for (const { path, isContent } of await matches(client, source)) {
        const attributes = await client.stat(path, isContent);
        if (attributes === undefined) {
          throw new Error(`there is no directory ${path}`);
        }
        if (attributes.kind !== "directory" && !isPattern(source)) {
          throw new Error(`there is no directory ${path}`);
        }
        const to = isContent ? root : join(root, posix.basename(path));
        await get(path, to, attributes, "");
      }
      await pool.done();
    });
  }

  /** Runs a copy; ends the session when it is aborted, since a server answers nothing sooner. */
  async #with(
    doing: string,
    signal: AbortSignal | undefined,
    use: (client: SftpClient) => Promise<void>,
  ): Promise<void> {
    signal?.throwIfAborted();
    const client = await this.#open(signal);
    const abort = () => void client[Symbol.asyncDispose]();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await use(client);
    } catch (error) {
      signal?.throwIfAborted();
      throw new Error(`cannot ${doing}: ${(error as Error).message}`, {
        cause: error,
      });
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async #open(signal: AbortSignal | undefined): Promise<SftpClient> {
    const open = await this.#client?.catch(() => undefined);
    if (open?.isAlive) return open;
    for (let attempt = 1;; attempt++) {
      await this.#connection.connect(signal);
      this.#client = SftpClient.open(this.#connection.subsystem("sftp"));
      try {
        return await this.#client;
      } catch (error) {
        signal?.throwIfAborted();
        // The connection may have broken since its last use.
        if (attempt === MAX_OPEN_ATTEMPTS || await this.#connection.check()) {
          throw error;
        }
      }
    }
  }
}

async function putEntry(
  client: SftpClient,
  path: string,
  entry: TreeEntry,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (entry.kind === "directory") return;
  /** What is there is replaced, a symlink too, and not written through. */
  const replacing = async (make: () => Promise<void>) => {
    try {
      await make();
    } catch {
      await client.remove(path).catch(() => {});
      await make();
    }
  };
  if (entry.kind === "symlink") {
    return await replacing(() => client.symlink(path, entry.target));
  }
  await replacing(() =>
    client.withFile(
      path,
      OPEN.write | OPEN.create | OPEN.exclusive,
      entry.mode,
      async (handle) => {
        using file = await Deno.open(entry.path);
        await client.write(handle, file.readable, signal);
        await client.setHandleMode(handle, entry.mode);
      },
    )
  );
}

async function getEntry(
  client: SftpClient,
  from: string,
  to: string,
  kind: "file" | "symlink",
  mode: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const there = await Deno.lstat(to).catch(() => undefined);
  if (there && !there.isDirectory) await Deno.remove(to);
  if (kind === "symlink") {
    return await Deno.symlink(await client.readLink(from), to);
  }
  using file = await Deno.open(to, {
    write: true,
    createNew: true,
    mode: 0o600,
  });
  await client.withFile(
    from,
    OPEN.read,
    undefined,
    (handle) =>
      client.read(handle, async (chunk) => {
        for (let at = 0; at < chunk.length;) {
          at += await file.write(chunk.subarray(at));
        }
      }, signal),
  );
  await Deno.chmod(to, mode & 0o777);
}

/** Makes a directory of this machine; a symlink in its place is replaced, not followed. */
async function localDirectory(path: string): Promise<void> {
  const there = await Deno.lstat(path).catch(() => undefined);
  if (there?.isDirectory) return await Deno.chmod(path, 0o700);
  if (there) await Deno.remove(path);
  await Deno.mkdir(path, { mode: 0o700 });
}

async function makeDirectories(
  client: SftpClient,
  path: string,
): Promise<void> {
  const there = await client.stat(path, true);
  if (there?.kind === "directory") return;
  if (there) throw new Error(`${path} is not a directory`);
  const parent = posix.dirname(path);
  if (parent !== path) await makeDirectories(client, parent);
  await client.makeDirectory(path);
}

/** What a source names: a directory, its content, or all that a pattern matches. */
async function matches(
  client: SftpClient,
  source: string,
): Promise<{ path: string; isContent: boolean }[]> {
  const isContent = source.endsWith("/");
  const path = posix.normalize(remotePath(source)).replace(/(.)\/+$/, "$1");
  if (!isPattern(source)) return [{ path, isContent }];
  const isAbsolute = path.startsWith("/");
  let found = [isAbsolute ? "/" : "."];
  for (const part of path.split("/").filter((part) => part !== "")) {
    const next: string[] = [];
    for (const directory of found) {
      if (!isPattern(part)) {
        const one = posix.join(directory, part);
        if (await client.stat(one, true)) next.push(one);
        continue;
      }
      const wanted = patternOf(part);
      const entries = await client.list(directory).catch(() => []);
      for (const { name } of entries) {
        // As in a shell, a wildcard matches no hidden file.
        if (name.startsWith(".") && !part.startsWith(".")) continue;
        if (wanted.test(name)) next.push(posix.join(directory, name));
      }
    }
    found = next.sort();
  }
  if (found.length === 0) throw new Error(`nothing matches ${source}`);
  return found.map((path) => ({ path, isContent: false }));
}

/** A shell's pattern for one name. */
function patternOf(pattern: string): RegExp {
  const source = pattern.replace(
    /\[([!^]?)(\]?[^\]]*)\]|\*|\?|[^*?[]+|\[/g,
    (part, negation?: string, set?: string) => {
      if (part === "*") return "[^/]*";
      if (part === "?") return "[^/]";
      if (set !== undefined && part.length > 2) {
        return `[${negation ? "^" : ""}${set.replace(/[\\\]^]/g, "\\$&")}]`;
      }
      return part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
    },
  );
  return new RegExp(`^${source}$`, "su");
}

/** A path for the server, whose relative paths begin in the user's home directory. */
function remotePath(path: string): string {
  if (path === "~") return ".";
  return path.startsWith("~/") ? path.slice(2) || "." : path;
}

/** Runs work, so much of it at a time. */
class Pool {
  readonly #size: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { error: unknown } | undefined;

  constructor(size: number) {
    this.#size = size;
  }

  async add(work: () => Promise<void>): Promise<void> {
    if (this.#failure) throw this.#failure.error;
    const running = work().catch((error) => void (this.#failure ??= { error }))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
    if (this.#running.size >= this.#size) await Promise.race(this.#running);
  }

  async done(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#failure) throw this.#failure.error;
  }
}
