// Executables: whether a plugin's path can be started at all, and what to
// tell the person when it cannot.

import { isAbsolute } from "@std/path";
import { PluginError } from "./plugin_error.ts";

/**
 * Looks at a plugin's path before it is started: the operating system's own
 * errors do not say enough.
 *
 * @param argv The command and its arguments. One that is not an absolute path
 * is left to the search on PATH.
 * @param name What the plugin is called.
 * @param cwd The folder it is to start in; the host's own unless given.
 * @throws {PluginError} When it is missing, a folder, not executable, or made
 * for another platform, or its folder is missing.
 */
export async function checkExecutable(
  argv: readonly string[],
  name: string,
  cwd?: string,
): Promise<void> {
  if (cwd !== undefined && !await isFolder(cwd)) {
    throw new PluginError(name, `cannot be started in ${cwd}: no such folder`);
  }
  const path = argv[0];
  if (path === undefined || path === "") {
    throw new PluginError(
      name === "" ? "a plugin" : name,
      "has no command to start: give its path, or a command and its arguments",
    );
  }
  if (!isAbsolute(path)) return;
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (error) {
    throw new PluginError(
      name,
      error instanceof Deno.errors.NotFound
        ? `does not exist${path === name ? "" : `: there is no ${path}`}`
        : `cannot be looked at: ${(error as Error).message}`,
    );
  }
  if (info.isDirectory) {
    throw new PluginError(
      name,
      "is a folder: name the plugin's executable in it",
    );
  }
  if (info.mode !== null && (info.mode & 0o111) === 0) {
    throw new PluginError(
      name,
      /\.[cm]?[jt]s$/.test(path)
        ? `is source code: compile it, or name a command that runs it, ["deno", "run", "--allow-read", "${path}"]`
        : `is not executable: run "chmod +x ${path}" if it is a plugin`,
    );
  }
  await checkFormat(path, name);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}

/** What a file begins with that this system can start. */
const FORMATS: Partial<Record<typeof Deno.build.os, readonly string[]>> = {
  linux: ["\x7fELF"],
  darwin: ["\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe"],
  windows: ["MZ"],
};

/** Where an ELF file says for which machine it is, and the numbers of ours. */
const ELF_MACHINE = 18;
const ELF_MACHINES: Record<string, number> = { x86_64: 62, aarch64: 183 };

/**
 * Looks at what kind of file it is. What the system cannot start it hands to a
 * shell, which would run whatever it makes of it.
 */
async function checkFormat(path: string, name: string): Promise<void> {
  let head: string;
  try {
    head = await beginningOf(path);
  } catch {
    return; // It may be run, but not read.
  }
  const isScript = head.startsWith("#!") && Deno.build.os !== "windows";
  if (isScript) {
    const interpreter = /^#!\s*(\S+)/.exec(head)?.[1] ?? "";
    if (isAbsolute(interpreter) && !await exists(interpreter)) {
      throw new PluginError(
        name,
        `cannot be started: its first line names ${interpreter}, which does not exist`,
      );
    }
    return;
  }
  const formats = FORMATS[Deno.build.os];
  // Windows starts more than executables: cross-spawn knows how.
  const isOther = Deno.build.os === "windows" && !/\.exe$/i.test(path);
  if (formats === undefined || isOther) return;
  const isForOtherMachine = Deno.build.os === "linux" &&
    head.startsWith("\x7fELF") &&
    head.charCodeAt(ELF_MACHINE) !== ELF_MACHINES[Deno.build.arch];
  if (isForOtherMachine || !formats.some((format) => head.startsWith(format))) {
    throw new PluginError(
      name,
      `cannot be started: it is not an executable for this platform (${Deno.build.target})`,
    );
  }
}

/** The beginning of a file, a character for each byte. */
async function beginningOf(path: string): Promise<string> {
  using file = await Deno.open(path);
  const buffer = new Uint8Array(256);
  const count = await file.read(buffer) ?? 0;
  return String.fromCharCode(...buffer.subarray(0, count));
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * What to tell when the operating system refuses to start a process.
 *
 * @param name What the plugin is called.
 * @param argv The command and its arguments.
 * @param error The operating system's error.
 */
export function spawnError(
  name: string,
  argv: readonly string[],
  error: Error & { code?: string },
): PluginError {
  const what = error.code === "ENOENT"
    ? `cannot be started: there is no command "${argv[0]}" on PATH`
    : error.code === "ENOEXEC" ||
        /exec format|os error 8\b/i.test(error.message)
    ? `cannot be started: it is not an executable for this platform (${Deno.build.target})`
    : error.code === "EMFILE" || /os error 24\b/.test(error.message)
    ? 'cannot be started: too many files are open; "ulimit -n" says how many may be, and raises it'
    : error.code === "ETXTBSY" || /text file busy/i.test(error.message)
    ? "cannot be started: it is still being written; try again when it is there"
    : error.code === "EACCES"
    ? "cannot be started: permission denied"
    : `cannot be started: ${error.message}`;
  return new PluginError(name, what);
}
