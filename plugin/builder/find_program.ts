// A program of this machine, found before the work that needs it begins.

import { DELIMITER, join, resolve } from "@std/path";

/**
 * Finds a program.
 *
 * @param name Its name, looked up on `PATH`, or its path.
 * @returns Its path.
 * @throws {Error} When it is not installed.
 */
export async function findProgram(name: string): Promise<string> {
  const isWindows = Deno.build.os === "windows";
  const endings = isWindows
    ? ["", ...(Deno.env.get("PATHEXT") ?? ".EXE").split(";")]
    : [""];
  const isPath = name.includes("/") || isWindows && name.includes("\\");
  const directories = isPath
    ? [resolve(".")]
    : (Deno.env.get("PATH") ?? "").split(DELIMITER);
  for (const directory of directories) {
    for (const ending of endings) {
      const path = isPath
        ? resolve(name + ending)
        : join(directory, name + ending);
      const info = await Deno.stat(path).catch(() => undefined);
      const mode = info?.mode ?? 0o111;
      if (info?.isFile && (isWindows || (mode & 0o111) !== 0)) return path;
    }
  }
  throw new Error(
    isPath
      ? `there is no program ${name}`
      : `the program ${name} is not installed: it is not on PATH`,
  );
}
