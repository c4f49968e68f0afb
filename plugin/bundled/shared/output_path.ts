// Where an output goes: to a file, which no path with a slash at its end names.

import { resolve } from "@std/path";

/**
 * The absolute path of an output.
 *
 * @param folder The folder that a relative path starts from.
 * @param path The path as the template has it.
 * @throws {Error} When it is the path of a folder: without its slash it would
 * become a file where somebody wanted a folder.
 */
export function outputPath(folder: string, path: string): string {
  if (path.endsWith("/")) {
    throw new Error(
      `open ${path}: is a directory; name a file in it, for example ${path}out`,
    );
  }
  return resolve(folder, path);
}
