// A program of this machine, found before the work that needs it begins.

import { DELIMITER, join, resolve } from "@std/path";

/** Where administrators' programs are, which are not on every user's `PATH`. */
const SYSTEM_DIRECTORIES = ["/usr/sbin", "/sbin"];

/**
 * Finds a program.
 *
 * @param name Its name, looked up on `PATH` and, except on Windows, in the
 * directories of administrators' programs; or its path.
 * @param origin The package or project that has it, for the error.
 * @returns Its path.
 * @throws {Error} When it is not installed.
 */
export async function findProgram(
  name: string,
  origin?: string,
): Promise<string> {
  const isWindows = Deno.build.os === "windows";
  const endings = isWindows
    ? ["", ...(Deno.env.get("PATHEXT") ?? ".EXE").split(";")]
    : [""];
  const isPath = name.includes("/") || isWindows && name.includes("\\");
  const directories = isPath ? [resolve(".")] : [
    ...(Deno.env.get("PATH") ?? "").split(DELIMITER),
    ...isWindows ? [] : SYSTEM_DIRECTORIES,
  ];
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
      : `the program ${name} is not installed: it is not on PATH${
        origin === undefined ? "" : `; it is a part of ${origin}`
      }`,
  );
}
