// Checks the Markdown files: each link to a file of the repository, each anchor, and each path in a code span must
// exist.
//
//     deno run --allow-read tools/check_links.ts

import { dirname, fromFileUrl, join } from "@std/path";

const root = fromFileUrl(new URL("..", import.meta.url));

/** A code span that is a path of the repository. */
const PATH =
  /^(?:cli|mod)\.ts$|^(?:docs|examples|host|plugin|tests|tools|types)\/[\w./-]*$/;

/** A Markdown page, as far as links go. */
interface Page {
  /** Its lines; those of code blocks are empty. */
  readonly lines: readonly string[];
  readonly anchors: ReadonlySet<string>;
}

const pages = new Map<string, Page>();

/**
 * Reads a page.
 *
 * @param text The Markdown.
 */
export function parsePage(text: string): Page {
  let fence: string | undefined;
  const lines = text.split("\n").map((line) => {
    const [, marks] = /^\s*(`{3,}|~{3,})/.exec(line) ?? [];
    if (fence === undefined && marks !== undefined) fence = marks;
    else if (fence !== undefined) {
      if (marks?.startsWith(fence)) fence = undefined;
    } else return line;
    return "";
  });
  const anchors = new Set<string>();
  for (const line of lines) {
    const [, heading] = /^#{1,6} (.*)$/.exec(line) ?? [];
    if (heading !== undefined) {
      const name = slug(heading);
      let anchor = name;
      for (let n = 1; anchors.has(anchor); n++) anchor = `${name}-${n}`;
      anchors.add(anchor);
    }
    for (const [, id] of line.matchAll(/<a (?:id|name)="([^"]+)"/g)) {
      anchors.add(id!);
    }
  }
  return { lines, anchors };
}

/** The anchor that forges give a heading. */
function slug(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\p{Pc} -]/gu, "")
    .replaceAll(" ", "-");
}

function pageOf(path: string): Page {
  let page = pages.get(path);
  if (page === undefined) {
    page = parsePage(Deno.readTextFileSync(join(root, path)));
    pages.set(path, page);
  }
  return page;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(join(root, path));
    return true;
  } catch {
    return false;
  }
}

/** What is wrong with the target of a link on a page; undefined where it is right. */
function faultOf(page: string, target: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  const [path, anchor] = target.split("#") as [string, string?];
  const file = path === ""
    ? page
    : join(dirname(page), decodeURIComponent(path)).replaceAll("\\", "/");
  if (!exists(file)) return `there is no ${file}`;
  if (anchor === undefined || !file.endsWith(".md")) return undefined;
  return pageOf(file).anchors.has(anchor)
    ? undefined
    : `there is no heading #${anchor} in ${file}`;
}

/** The Markdown files below a directory of the repository. */
function markdownFiles(directory = ""): string[] {
  return [...Deno.readDirSync(join(root, directory))].flatMap((entry) => {
    const path = join(directory, entry.name).replaceAll("\\", "/");
    if (!entry.isDirectory) return path.endsWith(".md") ? [path] : [];
    return [".git", "dist", "node_modules"].includes(entry.name)
      ? []
      : markdownFiles(path);
  }).sort();
}

if (import.meta.main) {
  let faults = 0;
  const report = (page: string, index: number, fault: string) => {
    console.error(`${page}:${index + 1}: ${fault}`);
    faults++;
  };
  for (const page of markdownFiles()) {
    for (const [index, line] of pageOf(page).lines.entries()) {
      const text = line.replace(/`[^`]*`/g, "");
      const links = [
        ...text.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g),
        ...text.matchAll(/^\[[^\]]+\]: <?(\S+?)>?$/g),
      ];
      for (const [, target] of links) {
        const fault = faultOf(page, target!);
        if (fault !== undefined) report(page, index, fault);
      }
      for (const [, span] of line.matchAll(/`([^`]+)`/g)) {
        if (PATH.test(span!) && !exists(span!)) {
          report(page, index, `there is no ${span}`);
        }
      }
    }
  }
  if (faults > 0) Deno.exit(1);
}
