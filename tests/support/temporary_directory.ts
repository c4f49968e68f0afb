// A directory for one test, removed at its end.

import { dirname, join } from "@std/path";
import { writeFile } from "./executable_file.ts";

/** A directory that `await using` removes, with all its contents. */
export class TemporaryDirectory implements AsyncDisposable {
  private constructor(
    /** The absolute path, without symbolic links. */
    readonly path: string,
  ) {}

  /**
   * Makes a directory.
   *
   * @param files Its files' contents by their names; a name that ends in `/` makes a directory.
   */
  static async make(
    files: Readonly<Record<string, string>> = {},
  ): Promise<TemporaryDirectory> {
    const directory = new TemporaryDirectory(
      await Deno.realPath(await Deno.makeTempDir({ prefix: "baler-test-" })),
    );
    for (const [name, content] of Object.entries(files)) {
      await directory.write(name, content);
    }
    return directory;
  }

  /** Writes a file and creates the directories above it; returns its path. A name that ends in `/` creates a directory. */
  async write(
    name: string,
    content: string | Uint8Array = "",
    mode = 0o644,
  ): Promise<string> {
    const path = join(this.path, name);
    if (name.endsWith("/")) {
      await Deno.mkdir(path, { recursive: true });
    } else {
      await Deno.mkdir(dirname(path), { recursive: true });
      await writeFile(path, content, mode);
    }
    return path;
  }

  /** Writes an executable shell script of these lines; returns its path. */
  script(name: string, ...lines: string[]): Promise<string> {
    return this.write(name, `#!/bin/sh\n${lines.join("\n")}\n`, 0o755);
  }

  /** Reads a file. */
  read(name: string): Promise<string> {
    return Deno.readTextFile(join(this.path, name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
