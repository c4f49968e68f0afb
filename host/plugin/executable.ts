// Checks whether a plugin's executable can be started, and explains why not.

import { isAbsolute } from "@std/path";
import { PluginError } from "./plugin_error.ts";

/**
 * Checks a plugin's path before it is started: the operating system's own errors
 * do not name the cause.
 *
 * @param argv The command and its arguments. A command that is not an absolute
 * path is searched on PATH, and not checked.
 * @param name The plugin's name in errors.
 * @param cwd Its working directory; the host's own unless given.
 * @throws {PluginError} When the executable is missing, a directory, not
 * executable, or built for another platform, or the working directory is
 * missing.
 */
export async function checkExecutable(
  argv: readonly string[],
  name: string,
  cwd?: string,
): Promise<void> {
  if (cwd !== undefined && !await isDirectory(cwd)) {
    throw new PluginError(
      name,
      `cannot be started in ${cwd}: no such directory`,
    );
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
        : `cannot be accessed: ${(error as Error).message}`,
    );
  }
  if (info.isDirectory) {
    throw new PluginError(
      name,
      "is a directory: give the path of the plugin's executable in it",
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

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}

/** The first bytes of the executable formats of each system. */
const FORMATS: Partial<Record<typeof Deno.build.os, readonly string[]>> = {
  linux: ["\x7fELF"],
  darwin: ["\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe"],
  windows: ["MZ"],
};

/** The offset of the machine (`e_machine`) in the header of an ELF file, in bytes. */
const ELF_MACHINE_OFFSET = 18;

/** The value of `e_machine` for each architecture. */
const ELF_MACHINES: Record<string, number> = { x86_64: 62, aarch64: 183 };

/**
 * Checks the format of the file. A file that the system cannot execute would be
 * passed to a shell, which would run it as a script.
 */
async function checkFormat(path: string, name: string): Promise<void> {
  let head: string;
  try {
    head = await beginningOf(path);
  } catch {
    return; // The file may be executable without being readable.
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
  // On Windows cross-spawn also starts scripts.
  const isOther = Deno.build.os === "windows" && !/\.exe$/i.test(path);
  if (formats === undefined || isOther) return;
  const isForOtherMachine = Deno.build.os === "linux" &&
    head.startsWith("\x7fELF") &&
    head.charCodeAt(ELF_MACHINE_OFFSET) !== ELF_MACHINES[Deno.build.arch];
  if (isForOtherMachine || !formats.some((format) => head.startsWith(format))) {
    throw new PluginError(
      name,
      `cannot be started: it is not an executable for this platform (${Deno.build.target})`,
    );
  }
}

/** Reads the beginning of a file, as one character per byte. */
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
 * Returns the error for a process that could not be started.
 *
 * @param name The plugin's name in errors.
 * @param argv The command and its arguments.
 * @param error The operating system's error.
 */
export function spawnError(
  name: string,
  argv: readonly string[],
  error: Error & { code?: string },
): PluginError {
  const what = error.code === "ENOENT"
    ? `cannot be started: command "${argv[0]}" not found on PATH`
    : error.code === "ENOEXEC" ||
        /exec format|os error 8\b/i.test(error.message)
    ? `cannot be started: it is not an executable for this platform (${Deno.build.target})`
    : error.code === "EMFILE" || /os error 24\b/.test(error.message)
    ? 'cannot be started: too many open files; raise the limit with "ulimit -n"'
    : error.code === "ETXTBSY" || /text file busy/i.test(error.message)
    ? "cannot be started: its file is still open for writing; try again when it is complete"
    : error.code === "EACCES"
    ? "cannot be started: permission denied"
    : `cannot be started: ${error.message}`;
  return new PluginError(name, what);
}
