// Downloads with checksums, kept in a cache: an image of some gigabytes is
// fetched once, and one that was interrupted goes on where it stopped.

import { basename, extname, join } from "@std/path";
import { createHash, type Hash } from "node:crypto";
import type { Ui } from "../contract/ui.ts";
import { expandHome } from "./ssh/ssh_options.ts";

/** The shortest pause between two reports of progress, in milliseconds. */
const REPORT_INTERVAL_MS = 250;

/** What to download. */
export interface DownloadOptions {
  /** Where it is: `http:`, `https:` and `file:` URLs, or paths; tried in order. */
  urls: readonly string[];
  /**
   * Its checksum as Packer writes it: `none`, `sha256:HEX` (md5, sha1, sha256,
   * sha512), the bare hexadecimal digits, or `file:URL` of a file of checksums.
   */
  checksum: string;
  /** The directory of the cache; see {@linkcode cacheDirectory}. */
  cache: string;
  /** The path to download to in place of one in the cache. */
  target?: string | undefined;
  /** The file's extension in the cache, without a dot; the URL's unless given. */
  extension?: string | undefined;
  /** Where progress is shown. */
  ui?: Ui;
  /** Stops the download when aborted; what is there is kept for the next time. */
  signal?: AbortSignal | undefined;
}

/** A checksum: the name of its algorithm and its hexadecimal digits. */
export interface Checksum {
  /** The algorithm. */
  algorithm: "md5" | "sha1" | "sha256" | "sha512";
  /** The digest, in hexadecimal digits. */
  hex: string;
}

const ALGORITHM_BY_LENGTH: Readonly<Record<number, Checksum["algorithm"]>> = {
  32: "md5",
  40: "sha1",
  64: "sha256",
  128: "sha512",
};

/**
 * The directory of downloads: `BALER_CACHE_DIR`, else `PACKER_CACHE_DIR`, else
 * `baler` in the user's cache directory.
 */
export function cacheDirectory(): string {
  const { env } = Deno;
  const named = env.get("BALER_CACHE_DIR") || env.get("PACKER_CACHE_DIR");
  if (named) return named;
  if (Deno.build.os === "windows") {
    return join(env.get("LOCALAPPDATA") ?? ".", "baler", "cache");
  }
  const home = env.get("HOME") ?? ".";
  return Deno.build.os === "darwin"
    ? join(home, "Library", "Caches", "baler")
    : join(env.get("XDG_CACHE_HOME") || join(home, ".cache"), "baler");
}

/**
 * Gets a file. A `file:` URL or a path is used where it is; everything else is
 * downloaded into the cache, once for all builds.
 *
 * @param options What, and where to.
 * @returns The path of a file whose checksum is right.
 * @throws {Error} When no URL has it, each with its reason, or its checksum is wrong.
 */
export async function download(options: DownloadOptions): Promise<string> {
  const { urls, signal } = options;
  if (urls.length === 0) throw new Error("there is no URL to download from");
  const failures: string[] = [];
  for (const url of urls) {
    signal?.throwIfAborted();
    try {
      const checksum = await resolveChecksum(options.checksum, url, signal);
      return isRemote(url)
        ? await fetchToCache(url, checksum, options)
        : await useLocal(url, checksum, options);
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(`${url}: ${(error as Error).message}`);
    }
  }
  throw new Error(
    failures.length === 1
      ? `cannot get ${failures[0]}`
      : `cannot get the file from any of its URLs:\n${failures.join("\n")}`,
  );
}

function isRemote(url: string): boolean {
  return /^https?:\/\//i.test(url);
}

function localPath(url: string): string {
  if (!/^file:/i.test(url)) return expandHome(url);
  const { pathname, host } = new URL(url);
  return decodeURIComponent(host === "" ? pathname : `//${host}${pathname}`);
}

/**
 * Reads a checksum as Packer writes it.
 *
 * @param text The checksum; `file:URL` names a file of checksums.
 * @param url What is downloaded: a file of checksums has a line for its name.
 * @param signal Stops the reading of that file when aborted.
 * @returns The checksum, or undefined for `none`.
 * @throws {Error} When it is none, or the file has no line for the name.
 */
export async function resolveChecksum(
  text: string,
  url: string,
  signal?: AbortSignal,
): Promise<Checksum | undefined> {
  if (text === "none") return undefined;
  if (!text.startsWith("file:")) return parseChecksum(text);
  const from = text.slice("file:".length);
  let content: string;
  if (isRemote(from)) {
    const response = await fetch(from, signal ? { signal } : {});
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`${from}: ${response.status} ${response.statusText}`);
    }
    content = await response.text();
  } else content = await Deno.readTextFile(localPath(from));
  return findChecksum(content, basename(new URL(url, "file:///").pathname));
}

/**
 * Reads `ALGORITHM:HEX`, or the digits alone.
 *
 * @param text The checksum.
 * @throws {Error} When it is none.
 */
export function parseChecksum(text: string): Checksum {
  const [, name, digits] = /^(?:(\w+):)?([0-9a-f]+)$/i.exec(text.trim()) ?? [];
  const algorithm = ALGORITHM_BY_LENGTH[digits?.length ?? 0];
  if (
    digits === undefined || algorithm === undefined ||
    (name !== undefined && name.toLowerCase() !== algorithm)
  ) {
    throw new Error(
      `"${text}" is not a checksum; write it as sha256:HEX (or md5, sha1, sha512), file:URL or none`,
    );
  }
  return { algorithm, hex: digits.toLowerCase() };
}

/** Finds a file's checksum in what GNU's and BSD's tools write. */
function findChecksum(content: string, name: string): Checksum {
  const lines = content.split(/\r?\n/).filter((line) => line.trim() !== "");
  for (const line of lines) {
    const gnu = /^([0-9a-f]+)\s+[* ]?(?:\.\/)?(.+?)\s*$/i.exec(line);
    if (gnu && basename(gnu[2]!) === name) return parseChecksum(gnu[1]!);
    const bsd = /^\w+\s*\((.+)\)\s*=\s*([0-9a-f]+)\s*$/i.exec(line);
    if (bsd && basename(bsd[1]!) === name) return parseChecksum(bsd[2]!);
  }
  const alone = lines.length === 1 ? lines[0]!.trim() : "";
  if (/^[0-9a-f]+$/i.test(alone)) return parseChecksum(alone);
  throw new Error(`the file of checksums has none for ${name}`);
}

async function useLocal(
  url: string,
  checksum: Checksum | undefined,
  { target, signal, ui }: DownloadOptions,
): Promise<string> {
  const path = localPath(url);
  if (!(await Deno.stat(path)).isFile) throw new Error("it is not a file");
  await verify(path, checksum, signal, ui);
  if (target === undefined) return path;
  await Deno.copyFile(path, target);
  return target;
}

async function fetchToCache(
  url: string,
  checksum: Checksum | undefined,
  options: DownloadOptions,
): Promise<string> {
  const { cache, target, signal, ui } = options;
  const path = target ??
    join(cache, await cacheName(url, checksum, options.extension));
  await Deno.mkdir(target === undefined ? cache : join(target, ".."), {
    recursive: true,
  });
  await using _lock = await lock(`${path}.lock`, signal);
  if (await exists(path)) {
    if (checksum && await hashFile(path, checksum, signal) === checksum.hex) {
      return path;
    }
    if (!checksum) return path;
    await Deno.remove(path);
  }
  const partial = `${path}.partial`;
  try {
    await fetchTo(partial, url, ui, signal);
    await verify(partial, checksum, signal, ui);
  } catch (error) {
    // Of a wrong content nothing is worth keeping.
    if (error instanceof ChecksumError) await Deno.remove(partial);
    throw error;
  }
  await Deno.rename(partial, path);
  return path;
}

async function cacheName(
  url: string,
  checksum: Checksum | undefined,
  extension: string | undefined,
): Promise<string> {
  const key = new TextEncoder().encode(checksum?.hex ?? url);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", key));
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  const tail = extension === undefined
    ? extname(new URL(url).pathname)
    : `.${extension}`;
  return hex + tail;
}

async function fetchTo(
  partial: string,
  url: string,
  ui: Ui | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const have = await Deno.stat(partial).then(({ size }) => size, () => 0);
  const response = await fetch(url, {
    headers: have > 0 ? { range: `bytes=${have}-` } : {},
    ...(signal ? { signal } : {}),
  });
  // The whole file is there already, and only its end was missed.
  if (response.status === 416 && have > 0) {
    await response.body?.cancel();
    return;
  }
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new Error(`${response.status} ${response.statusText}`.trim());
  }
  const goesOn = response.status === 206;
  const start = goesOn ? have : 0;
  const length = Number(response.headers.get("content-length"));
  const total = length > 0 ? start + length : undefined;
  const file = await Deno.open(partial, {
    create: true,
    ...(goesOn ? { append: true } : { write: true, truncate: true }),
  });
  let current = start;
  let reported = -Infinity;
  const label = basename(new URL(url).pathname) || url;
  const report = (done = false) =>
    ui?.progress({
      label,
      current,
      ...(total === undefined ? {} : { total }),
      ...(done ? { done } : {}),
    });
  try {
    // Chunk by chunk: a pipe drops what it holds when the connection breaks.
    for await (const chunk of response.body) {
      await writeAll(file, chunk);
      current += chunk.length;
      if (performance.now() - reported > REPORT_INTERVAL_MS) {
        reported = performance.now();
        void report();
      }
    }
  } finally {
    file.close();
    await report(true);
  }
  if (total !== undefined && current !== total) {
    throw new Error(`the connection ended after ${current} of ${total} bytes`);
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
}

/** A file has another checksum than it should. */
export class ChecksumError extends Error {
  /** The name of the class. */
  override name = "ChecksumError";
}

async function verify(
  path: string,
  checksum: Checksum | undefined,
  signal: AbortSignal | undefined,
  ui: Ui | undefined,
): Promise<void> {
  if (!checksum) return;
  const { algorithm, hex } = checksum;
  const found = await hashFile(path, checksum, signal);
  if (found !== hex) {
    await ui?.error(`The checksum of ${path} is wrong.`);
    throw new ChecksumError(
      `the ${algorithm} checksum is ${found}, but should be ${hex}`,
    );
  }
}

async function hashFile(
  path: string,
  { algorithm }: Checksum,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash: Hash = createHash(algorithm);
  const file = await Deno.open(path);
  for await (const chunk of file.readable) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest("hex");
}

/** Waits until no other process downloads the same file; the kernel releases the lock of a process that ends. */
async function lock(
  path: string,
  signal: AbortSignal | undefined,
): Promise<AsyncDisposable> {
  for (;;) {
    signal?.throwIfAborted();
    const file = await Deno.open(path, { create: true, write: true });
    await file.lock(true);
    // Whoever had it has removed the file: the next one locks another.
    const [mine, there] = await Promise.all([
      file.stat(),
      Deno.stat(path).catch(() => undefined),
    ]);
    if (mine.ino !== null && mine.ino !== there?.ino) {
      file.close();
      continue;
    }
    return {
      [Symbol.asyncDispose]: async () => {
        await Deno.remove(path).catch(() => {});
        file.close();
      },
    };
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
