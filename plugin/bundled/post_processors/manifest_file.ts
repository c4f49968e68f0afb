// The manifest file: one JSON document to which the builds of many runs add their
// entries, each in a process of its own. No entry is lost.

import { guardFile, unguardFile } from "../../process/cleanup_guard.ts";
import { OutputFile } from "../shared/output_file.ts";
import { writeAll } from "../shared/write_all.ts";

/** The entry of one build, with its keys in the order in which they are written. */
export interface ManifestBuild {
  /** The build's name. */
  name: string;
  /** The type of its builder. */
  builder_type: string;
  /** When it ended, in seconds since 1970. */
  build_time?: number;
  /** The artifact's files with their sizes in bytes; null where it has none. */
  files: { name: string; size: number }[] | null;
  /** The artifact's id. */
  artifact_id: string;
  /** The id of the run of baler. */
  packer_run_uuid: string;
  /** The strings from the template. */
  custom_data: Record<string, string> | null;
}

/** The arguments of {@linkcode addToManifest}. */
export interface AddToManifestOptions {
  /** The manifest's absolute path. */
  path: string;
  /** The manifest's name for people. */
  name: string;
  /** The entry to add. */
  build: ManifestBuild;
  /** True to replace the entries of earlier runs. */
  replaceEarlierRuns: boolean;
  /** Stops waiting for the lock when aborted. */
  signal: AbortSignal;
}

/**
 * Adds a build to a manifest, which is created if it does not exist.
 *
 * The file is locked with a lock that the operating system releases when a
 * process is killed. It is replaced as a whole: a reader sees all of an entry or
 * nothing.
 *
 * @param options The manifest and the entry.
 * @throws {Error} When the manifest cannot be read or written, or is not one.
 */
export async function addToManifest(
  { path, name, build, replaceEarlierRuns, signal }: AddToManifestOptions,
): Promise<void> {
  // A new manifest is empty while it is locked.
  await guardFile(path, "empty");
  try {
    await addLocked({ path, name, build, replaceEarlierRuns, signal });
  } finally {
    await unguardFile(path, "empty");
  }
}

async function addLocked(
  { path, name, build, replaceEarlierRuns, signal }: AddToManifestOptions,
): Promise<void> {
  using file = await openLocked(path, name, signal);
  let text = "";
  try {
    text = await readAll(file).catch((error) => {
      throw new Error(`Unable to open ${name} for reading: ${error.message}`);
    });
    const manifest = parsed(text, name);
    if (
      replaceEarlierRuns && manifest.last_run_uuid !== build.packer_run_uuid
    ) {
      manifest.builds = [];
    }
    manifest.builds.push(build);
    manifest.last_run_uuid = build.packer_run_uuid;
    signal.throwIfAborted();
    await replace(file, path, goJson(manifest)).catch((error) => {
      throw new Error(`Unable to write ${name}: ${error.message}`);
    });
  } catch (error) {
    if (text === "") await Deno.remove(path).catch(() => {});
    throw error;
  }
}

async function openLocked(
  path: string,
  name: string,
  signal: AbortSignal,
): Promise<Deno.FsFile> {
  while (true) {
    let file: Deno.FsFile;
    try {
      file = await Deno.open(path, {
        read: true,
        write: true,
        create: true,
        mode: 0o664,
      });
    } catch (error) {
      const { message } = error as Error;
      throw new Error(
        error instanceof Deno.errors.NotFound
          ? `Unable to write ${name}: ${message}: its directory must exist`
          : `Unable to open ${name} for reading: ${message}`,
      );
    }
    try {
      await locked(file, signal);
      // The process that held the lock before may have replaced the file: then
      // this lock is on the old one.
      const [mine, current] = await Promise.all([
        file.stat(),
        Deno.stat(path).catch(() => undefined),
      ]);
      if (mine.ino === current?.ino && mine.dev === current.dev) return file;
      file.close();
    } catch (error) {
      signal.throwIfAborted();
      file.close();
      throw new Error(`Unable to lock ${name}: ${(error as Error).message}`);
    }
  }
}

// To wait for a lock cannot be cancelled: after an abort the file is closed when
// the lock is granted.
async function locked(file: Deno.FsFile, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  const lock = file.lock(true);
  try {
    await Promise.race([lock, aborted]);
  } catch (error) {
    if (signal.aborted) lock.then(() => file.close(), () => file.close());
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function readAll(file: Deno.FsFile): Promise<string> {
  const bytes = new Uint8Array((await file.stat()).size);
  let length = 0;
  while (length < bytes.length) {
    const read = await file.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}

async function replace(
  file: Deno.FsFile,
  path: string,
  text: string,
): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  try {
    await using output = await OutputFile.open(path);
    await output.write(bytes);
    await output.commit();
  } catch (error) {
    // Windows does not let an open file be replaced.
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    await file.truncate(0);
    await file.seek(0, Deno.SeekMode.Start);
    await writeAll(file, bytes);
  }
}

interface Manifest {
  builds: unknown[];
  last_run_uuid: string;
}

function parsed(text: string, name: string): Manifest {
  const refuse = (why: string) =>
    new Error(
      `Unable to parse content from ${name}: ${why}; repair or delete the file, or choose another "output"`,
    );
  if (text === "") return { builds: [], last_run_uuid: "" };
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse((error as Error).message);
  }
  if (value === null) return { builds: [], last_run_uuid: "" };
  if (typeof value !== "object" || Array.isArray(value)) {
    throw refuse("it must be an object");
  }
  const builds = value.builds ?? undefined;
  const last_run_uuid = value.last_run_uuid ?? undefined;
  if (builds !== undefined && !Array.isArray(builds)) {
    throw refuse('"builds" must be a list');
  }
  if (last_run_uuid !== undefined && typeof last_run_uuid !== "string") {
    throw refuse('"last_run_uuid" must be a string');
  }
  return { builds: builds ?? [], last_run_uuid: last_run_uuid ?? "" };
}

// In the form of Go's encoder, so that a manifest that Packer began and baler
// continues is consistent.
function goJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(
    /\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.|[<>&\u2028\u2029]/g,
    (part) => {
      if (part.length === 6) return "\ufffd";
      if (part === "\\b") return "\\u0008";
      if (part === "\\f") return "\\u000c";
      if (part.startsWith("\\")) return part;
      return `\\u${part.charCodeAt(0).toString(16).padStart(4, "0")}`;
    },
  );
}
