// What of a run is compared: events and files, with all taken out that differs
// from one run to the next, and the wordings that differ on purpose made one.

import { join } from "@std/path";
import { archiveContent } from "./archive_content.ts";
import type { ParityCase } from "./case.ts";

/** The places of one run, which are other places in the next. */
export interface Places {
  readonly work: string;
  readonly tmp: string;
  readonly home: string;
}

const WORDINGS: readonly [of: RegExp, to: string][] = [
  // gzip-wording
  [/(Using|with) pgzip\b/g, "$1 gzip"],
  [/with \d+ cores? for/g, "with N cores for"],
  // exit-status-space
  [/(exit status: \d+\.)(Allowed)/g, "$1 $2"],
];

// Warnings of what Packer does in silence: an artifact without files.
const NO_FILES =
  /,ui,error,==> .*Warning: (the artifact has no files|.* matches no file\.)/;

const EXTRAS = [
  // valid-is-said
  ",ui,say,The configuration is valid.",
  // Packer prints it only if it does so before the provisioner returns.
  ",ui,error,==> null: Cancelling provisioner after a timeout...",
];

/**
 * A text without what differs between runs.
 *
 * @param text The text.
 * @param places Where it was run.
 * @param one The case.
 */
export function withoutChance(
  text: string,
  { work, tmp, home }: Places,
  one: ParityCase,
): string {
  let result = text
    .replaceAll(/[^\s'"]*\/(packer|baler)-shell[-\w]*/g, "SCRIPT")
    .replaceAll(/\bscript_\d+\.sh/g, "script_N.sh")
    .replaceAll(/\bvarfile_\d+\.sh/g, "varfile_N.sh")
    .replaceAll(tmp, "TMP")
    .replaceAll(work, "WORK")
    .replaceAll(home, "HOME")
    .replaceAll(
      /\b[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\b/g,
      "UUID",
    )
    .replaceAll(
      /(finished|errored|completed) after \d+ \w+( \d+ \w+)?/g,
      "$1 after DURATION",
    );
  for (const pattern of one.aside ?? []) {
    result = result.replaceAll(new RegExp(pattern, "gm"), "ASIDE");
  }
  for (const [of, to] of WORDINGS) result = result.replaceAll(of, to);
  return result;
}

/**
 * The events of an output, in a form that compares.
 *
 * @param stdout The output.
 * @param places Where it was run.
 * @param one The case.
 * @param machineReadable False for lines that people read.
 */
export function comparableEvents(
  stdout: string,
  places: Places,
  one: ParityCase,
  machineReadable: boolean,
): string[] {
  const events: string[] = [];
  for (const line of withoutChance(stdout, places, one).split("\n")) {
    let event = line;
    if (machineReadable) {
      const match = /^\d{10},(.*)$/.exec(line);
      if (match === null) {
        if (line !== "") events.push(`no event: ${line}`);
        continue;
      }
      event = match[1]!;
      if (one.messageParts !== undefined) {
        event = event.replace(/^([^,]*,error|,ui,error),(?!==>).*/, "$1");
      }
      if (one.messageParts !== undefined && event === events.at(-1)) continue;
    } else if (event === "" && (events.at(-1) ?? "") === "") continue;
    if (EXTRAS.includes(event) || NO_FILES.test(event)) continue;
    // inspect-text
    if (
      machineReadable && one.args?.[0] === "inspect" &&
      event.startsWith(",ui,say,")
    ) {
      continue;
    }
    events.push(event);
  }
  if (events.at(-1) === "") events.pop();
  return one.unordered ? events.sort() : events;
}

/**
 * Returns the files of a directory by name: JSON as values, archives as their content.
 *
 * @param places Where it was run.
 * @param one The case, whose own files are left out where they are as they were.
 */
export async function comparableFiles(
  places: Places,
  one: ParityCase,
): Promise<Record<string, unknown>> {
  const files: Record<string, unknown> = {};
  for (const name of (await namesIn(places.work)).sort()) {
    if (name.endsWith("/")) {
      files[name] = "";
      continue;
    }
    if (name === "crash.log") {
      files[name] = "Packer's crash";
      continue;
    }
    const bytes = await Deno.readFile(join(places.work, name));
    const given = name === "template.json" ? one.template : one.files?.[name];
    if (
      given !== undefined && new TextDecoder().decode(bytes) === written(given)
    ) continue;
    files[withoutChance(name, places, one)] = fileContent(
      name,
      bytes,
      (text) => withoutChance(text, places, one),
    );
  }
  return files;
}

/** How a file of a case is written. */
export function written(content: unknown): string {
  return typeof content === "string"
    ? content
    : JSON.stringify(content, null, 2);
}

function fileContent(
  name: string,
  bytes: Uint8Array,
  clean: (text: string) => string,
): unknown {
  const content = archiveContent(bytes);
  if (typeof content !== "string") {
    return JSON.parse(clean(JSON.stringify(content)));
  }
  if (name.endsWith(".json")) {
    try {
      return { json: timeless(JSON.parse(clean(content))) };
    } catch {
      return clean(content);
    }
  }
  return clean(content);
}

function timeless(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(
      value,
      (key, inner) => key === "build_time" ? "TIME" : inner,
    ),
  );
}

async function namesIn(directory: string, prefix = ""): Promise<string[]> {
  const names: string[] = [];
  let isEmpty = true;
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    isEmpty = false;
    if (isDirectory) {
      names.push(...await namesIn(join(directory, name), `${prefix}${name}/`));
    } else names.push(prefix + name);
  }
  if (isEmpty && prefix !== "") names.push(prefix);
  return names;
}
