// A glob finds files by a pattern as Go's filepath.Glob reads it, since that
// is what templates are written for: `*` also matches names that begin with a
// dot, and there is no `**` and no `{a,b}`.

import { join, resolve, SEPARATOR } from "@std/path";

const ON_WINDOWS = SEPARATOR === "\\";
const META = ON_WINDOWS ? /[*?[]/ : /[*?[\\]/;

/**
 * The files that match a pattern, in the order of their names.
 *
 * What cannot be read matches nothing, as in Go.
 *
 * @param pattern The pattern; where it is relative, so are the results.
 * @param workingDirectory The folder against which a relative pattern is meant.
 * @returns Paths of files and folders; none when nothing matches.
 * @throws {Error} When the pattern itself is not valid.
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
  const folderPattern = cut === 0 ? "/" : pattern.slice(0, Math.max(cut, 0));
  const name = nameExpression(pattern.slice(cut + 1), pattern);
  const folders = META.test(folderPattern)
    ? await glob(folderPattern, workingDirectory)
    : [folderPattern];
  const found: string[] = [];
  for (const folder of folders) {
    const names: string[] = [];
    try {
      for await (
        const entry of Deno.readDir(resolve(workingDirectory, folder))
      ) {
        if (name.test(entry.name)) names.push(entry.name);
      }
    } catch {
      continue;
    }
    found.push(...names.sort().map((name) => join(folder, name)));
  }
  return found;
}

function nameExpression(name: string, pattern: string): RegExp {
  const characters = [...name];
  const bad = (why: string) =>
    new Error(
      `"${pattern}" is not a valid pattern: ${why}; write "\\\\" before a character that stands for itself`,
    );
  let at = 0;
  const one = () => {
    let character = characters[at++];
    if (character === "\\" && !ON_WINDOWS) character = characters[at++];
    if (character === undefined) throw bad("it ends too early");
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
            throw bad(`"${characters[at]}" stands where a character must`);
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
          // Go takes a range that runs backwards, which no character is in.
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
