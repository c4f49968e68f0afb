// cd_files and cd_content: a CD with files for the machine, as an ISO image.

import { basename, join, relative, resolve } from "@std/path";
import { type ImageFile, iso9660 } from "./images/iso9660.ts";
import { walkTree } from "./communicators/tree.ts";

/** What a CD is made of. */
export interface CdImageOptions {
  /** Paths of files and directories; patterns are expanded. */
  files?: readonly string[] | undefined;
  /** Contents by their paths on the CD. */
  content?: Readonly<Record<string, string>> | undefined;
  /** The CD's label. */
  label: string;
  /** The directory against which relative paths are meant. */
  workingDirectory: string;
}

/**
 * Writes the image of a CD.
 *
 * A file stands at the root by its name; a directory with all that is below it,
 * or its content alone when the path ends with `/`.
 *
 * @param path The path of the image.
 * @param options What is on the CD.
 * @throws {Error} When a path matches nothing, or a file does not fit.
 */
export async function writeCdImage(
  path: string,
  { files = [], content = {}, label, workingDirectory }: CdImageOptions,
): Promise<void> {
  const found: ImageFile[] = Object.entries(content).map(([path, text]) => {
    const bytes = new TextEncoder().encode(text);
    return { path, size: bytes.length, content: () => [bytes] };
  });
  for (const pattern of files) {
    for (const source of await expand(pattern, workingDirectory)) {
      found.push(...await filesOf(source));
    }
  }
  await Deno.writeFile(
    path,
    ReadableStream.from(iso9660({ label, files: found })),
  );
}

async function expand(
  pattern: string,
  workingDirectory: string,
): Promise<string[]> {
  if (!/[*?[]/.test(pattern)) {
    const tail = pattern.endsWith("/") ? "/" : "";
    return [resolve(workingDirectory, pattern) + tail];
  }
  const { glob } = await import("../files/glob.ts");
  const found = await glob(pattern, workingDirectory);
  if (found.length === 0) throw new Error(`nothing matches ${pattern}`);
  return found.map((path) => resolve(workingDirectory, path));
}

async function filesOf(source: string): Promise<ImageFile[]> {
  const info = await Deno.stat(source);
  if (!info.isDirectory) {
    return [imageFile(basename(source), source, info.size)];
  }
  const files: ImageFile[] = [];
  for await (const entry of walkTree({ source })) {
    if (entry.kind === "file") {
      files.push(imageFile(entry.name, entry.path, entry.size));
    } else if (entry.kind === "symlink") {
      // A CD has no symlinks: each is replaced by its target.
      const target = await Deno.realPath(entry.path);
      const { isFile, size } = await Deno.stat(target);
      if (!isFile) {
        throw new Error(
          `${relative(join(source, ".."), entry.path)} is a link to no file`,
        );
      }
      files.push(imageFile(entry.name, target, size));
    }
  }
  return files;
}

function imageFile(path: string, source: string, size: number): ImageFile {
  return {
    path,
    size,
    async *content() {
      const file = await Deno.open(source);
      yield* file.readable;
    },
  };
}
