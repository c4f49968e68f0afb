// The path of a post-processor's or a builder's output.

import { basename, resolve } from "@std/path";
import type { BuildContext } from "../../contract/build_context.ts";

/**
 * Resolves the path of an output file.
 *
 * @param directory The directory of a relative path.
 * @param path The path in the template.
 * @throws {Error} When the path ends in a slash: without it a directory that the
 * template means would become a file.
 */
export function outputPath(directory: string, path: string): string {
  if (path.endsWith("/")) {
    throw new Error(
      `open ${path}: is a directory; name a file in it, for example ${path}out`,
    );
  }
  return resolve(directory, path);
}

/**
 * The fields for the name of an output: `{{.BuildName}}` and `{{.BuilderType}}`.
 *
 * @param build The build. The type of its builder may be the path of a plugin, of
 * which only the last part belongs into a name.
 */
export function outputFields(
  { name, type }: BuildContext,
): { BuildName: string; BuilderType: string } {
  const isPath = type.includes("/") || type.includes("\\");
  return { BuildName: name, BuilderType: isPath ? basename(type) : type };
}
