// The manifest file is one JSON document that the builds of many runs, each
// in a process of its own, add their entries to, none of which may be lost.

/** What a manifest says of one build, its keys in the order in which they are written. */
export interface ManifestBuild {
  /** The build's name. */
  name: string;
  /** The type of its builder. */
  builder_type: string;
  /** When it was done, in seconds since 1970. */
  build_time?: number;
  /** The artifact's files; null where it has none. */
  files: { name: string; size: number }[] | null;
  /** The artifact's id. */
  artifact_id: string;
  /** What all builds of one run have in common. */
  packer_run_uuid: string;
  /** What the template has to add. */
  custom_data: Record<string, string> | null;
}

/** How an entry is added. */
export interface AddToManifestOptions {
  /** The manifest's absolute path. */
  path: string;
  /** The manifest's name for people. */
  name: string;
  /** The entry to add. */
  build: ManifestBuild;
  /** True when what earlier runs have left is to be replaced. */
  replaceEarlierRuns: boolean;
  /** Gives up while the file is held by others when aborted. */
  signal: AbortSignal;
}

/**
 * Adds a build to a manifest, which is made where there is none.
 *
 * The file is locked meanwhile, with a lock that the operating system takes
 * back even from a process that was killed, and it is replaced as a whole: who
 * reads it sees all of an entry or nothing.
 *
 * @param options The manifest and the entry.
 * @throws {Error} When the manifest cannot be read or written, or is not one.
 */
export async function addToManifest(
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
          ? `Unable to write ${name}: ${message}: the folder it goes to must be there already`
          : `Unable to open ${name} for reading: ${message}`,
      );
    }
    try {
      await locked(file, signal);
      // Whoever held the lock before has put a new file in the place of the
      // one that this lock is on: then it is worth nothing.
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

// A wait for a lock cannot be called off, so the file of one that is given up
// is closed when the lock comes.
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
  const target = await Deno.realPath(path);
  const partial = `${target}.partial`;
  try {
    const { mode } = await file.stat();
    await Deno.writeTextFile(partial, text, { mode: (mode ?? 0o664) & 0o777 });
    await Deno.rename(partial, target);
  } catch (error) {
    await Deno.remove(partial).catch(() => {});
    // The folder may be closed to us where the file is not, and Windows keeps
    // an open file from being replaced.
    if (
      !(error instanceof Deno.errors.PermissionDenied) &&
      !(error instanceof Deno.errors.NotCapable)
    ) throw error;
    await file.truncate(0);
    await file.seek(0, Deno.SeekMode.Start);
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) {
      at += await file.write(bytes.subarray(at));
    }
  }
}

interface Manifest {
  builds: unknown[];
  last_run_uuid: string;
}

function parsed(text: string, name: string): Manifest {
  const refuse = (why: string) =>
    new Error(
      `Unable to parse content from ${name}: ${why}; repair the file, delete it, or give another "output"`,
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
    throw refuse("it is not an object");
  }
  const builds = value.builds ?? undefined;
  const last_run_uuid = value.last_run_uuid ?? undefined;
  if (builds !== undefined && !Array.isArray(builds)) {
    throw refuse('"builds" in it is not a list');
  }
  if (last_run_uuid !== undefined && typeof last_run_uuid !== "string") {
    throw refuse('"last_run_uuid" in it is not a text');
  }
  return { builds: builds ?? [], last_run_uuid: last_run_uuid ?? "" };
}

// As Go's encoder writes it, so that a manifest that Packer began and baler
// continues is all of one kind.
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
