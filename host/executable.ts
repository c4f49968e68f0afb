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
 * @throws {PluginError} When it is missing, a folder, or not executable.
 */
export async function checkExecutable(
  argv: readonly string[],
  name: string,
): Promise<void> {
  const path = argv[0];
  if (path === undefined || path === "") {
    throw new PluginError(name, "has no command to start");
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
      `is not executable: run "chmod +x ${path}" if it is a plugin`,
    );
  }
}

/**
 * What to tell when the operating system refuses to start a process.
 *
 * @param name What the plugin is called.
 * @param argv The command and its arguments.
 * @param error The operating system's error.
 */
export function startFailure(
  name: string,
  argv: readonly string[],
  error: Error & { code?: string },
): PluginError {
  const what = error.code === "ENOENT"
    ? `cannot be started: there is no command "${argv[0]}" on PATH`
    : error.code === "ENOEXEC" ||
        /exec format|os error 8\b/i.test(error.message)
    ? `cannot be started: it is not an executable for this platform (${Deno.build.target})`
    : error.code === "EACCES"
    ? "cannot be started: permission denied"
    : `cannot be started: ${error.message}`;
  return new PluginError(name, what);
}
