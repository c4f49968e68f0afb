// Finds files by a pattern of Go's filepath.Glob, for which templates are
// written: `*` also matches names that begin with a dot, and there is neither
// `**` nor `{a,b}`.

import { join, resolve, SEPARATOR } from "@std/path";
import { rawPaths } from "./raw_names.ts";

const ON_WINDOWS = SEPARATOR === "\\";
const META = ON_WINDOWS ? /[*?[]/ : /[*?[\\]/;

/**
 * Finds the files that match a pattern, in the order of their names.
 *
 * A directory that cannot be read matches nothing, as in Go.
 *
 * @param pattern The pattern. The results of a relative one are relative.
 * @param workingDirectory The directory of a relative pattern.
 * @returns Paths of files and directories; none when nothing matches.
 * @throws {Error} When the pattern is not valid, or matches a name that is not UTF-8.
 */
export async function glob(
  pattern: string,
  workingDirectory: string,
): Promise<string[]> {
  if (!META.test(pattern)) {
    const found = await Deno.lstat(resolve(workingDirectory, pattern)).then(
      () => true,
      () => false,
    );
    return found ? [pattern] : [];
  }
  const cut = Math.max(
    pattern.lastIndexOf("/"),
    ON_WINDOWS ? pattern.lastIndexOf("\\") : -1,
  );
  const directoryPattern = cut === 0 ? "/" : pattern.slice(0, Math.max(cut, 0));
  const name = nameExpression(pattern.slice(cut + 1), pattern);
  const directories = META.test(directoryPattern)
    ? await glob(directoryPattern, workingDirectory)
    : [directoryPattern];
  const found: string[] = [];
  for (const directory of directories) {
    const names: string[] = [];
    try {
      for await (
        const entry of Deno.readDir(resolve(workingDirectory, directory))
      ) {
        if (name.test(entry.name)) names.push(entry.name);
      }
    } catch {
      continue;
    }
    const path = resolve(workingDirectory, directory);
    for (const { lossy, shown } of await rawPaths(path, false)) {
      if (!name.test(lossy)) continue;
      throw new Error(
        `"${pattern}" matches ${
          join(directory, shown)
        }, whose name is not UTF-8; rename the file`,
      );
    }
    found.push(...names.sort().map((name) => join(directory, name)));
  }
  return found;
}

function nameExpression(name: string, pattern: string): RegExp {
  const characters = [...name];
  const bad = (why: string) =>
    new Error(
      `"${pattern}" is not a valid pattern: ${why}; write "\\\\" before a character that is meant literally`,
    );
  let at = 0;
  const one = () => {
    let character = characters[at++];
    if (character === "\\" && !ON_WINDOWS) character = characters[at++];
    if (character === undefined) throw bad("it is incomplete");
    return literal(character);
  };
  let expression = "";
  while (at < characters.length) {
    switch (characters[at]) {
      case "*":
        at++;
        expression += ".*";
        break;
      case "?":
        at++;
        expression += ".";
        break;
      case "[": {
        at++;
        const negated = characters[at] === "^";
        if (negated) at++;
        let ranges = "";
        do {
          if (/^[\]-]$/.test(characters[at] ?? "")) {
            throw bad(`unexpected "${characters[at]}"`);
          }
          const from = one();
          if (characters[at] !== "-") {
            ranges += from;
            continue;
          }
          at++;
          if (/^[\]-]$/.test(characters[at] ?? "")) {
            throw bad(`a range has no end`);
          }
          const to = one();
          // Go accepts a descending range, which matches no character.
          if (from <= to) ranges += `${from}-${to}`;
        } while (characters[at] !== "]");
        at++;
        expression += negated
          ? `[^${ranges}]`
          : ranges === ""
          ? "(?!)"
          : `[${ranges}]`;
        break;
      }
      default:
        expression += one();
    }
  }
  return new RegExp(`^${expression}$`, "su");
}

function literal(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16).padStart(6, "0")}}`;
}
