// The cleanup guard cleans up after this process if it is killed: it kills process
// groups, removes temporary files and directories, and runs cleanup commands, for
// example to remove a container.
//
// It is one small shell process that runs while there is something to guard. It
// reads its list from a pipe; the end of the pipe means that this process has
// exited, for whatever reason.

import { shellQuote } from "../common/shell_quote.ts";

/** How long the processes of a group may take to exit after SIGTERM, in milliseconds. */
export const TERM_GRACE_MS = 2_000;

const POLL_SECONDS = 0.2;

// Paths are written as octal escapes for printf, so that one line is one path,
// whatever characters are in it. `file` is removed; `empty` is removed if it has
// no content; `directory` is removed with its contents, once the groups, which
// may write there, have exited. A `command` runs between them.
const SCRIPT = `
trap '' HUP INT TERM
entries=
while read -r line; do
  case $line in
    +*) entries="$entries \${line#+}" ;;
    -*)
      kept=
      for one in $entries; do [ "$one" = "\${line#-}" ] || kept="$kept $one"; done
      entries=$kept ;;
  esac
done
groups=
directories=
commands=
for one in $entries; do
  value=\${one#*:}
  case $one in
    group:*) groups="$groups $value"; continue ;;
    directory:*) directories="$directories $value"; continue ;;
    command:*) commands="$value $commands"; continue ;;
  esac
  path=$(printf '%b.' "$value")
  path=\${path%.}
  case $one in
    empty:*) [ -s "$path" ] || rm -f -- "$path" ;;
    *) rm -f -- "$path" ;;
  esac
done
for group in $groups; do kill -TERM "-$group" 2>/dev/null; done
left=${TERM_GRACE_MS / 1000 / POLL_SECONDS}
while [ "$left" -gt 0 ]; do
  alive=
  for group in $groups; do
    kill -0 "-$group" 2>/dev/null && alive="$alive $group"
  done
  groups=$alive
  [ -n "$groups" ] || break
  sleep ${POLL_SECONDS}
  left=$((left - 1))
done
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
for value in $commands; do
  line=$(printf '%b.' "$value")
  sh -c "\${line%.}"
done
for value in $directories; do
  path=$(printf '%b.' "$value")
  rm -rf -- "\${path%.}"
done
`;

const encoder = new TextEncoder();

/** What is guarded at present. */
const entries = new Set<string>();
let child: Deno.ChildProcess | undefined;
let stdin: WritableStreamDefaultWriter<Uint8Array> | undefined;

/**
 * Makes the guard kill a process group when this process dies.
 *
 * @param pid The process that leads the group.
 * @throws {Error} When `/bin/sh` cannot be started.
 */
export function guardGroup(pid: number): void {
  add(`group:${pid}`);
}

/**
 * Reverts {@linkcode guardGroup}: the group has exited.
 *
 * @param pid The process that led the group.
 */
export function unguardGroup(pid: number): Promise<void> {
  return remove(`group:${pid}`);
}

/**
 * Makes the guard remove a file when this process dies. Must be called before the
 * file is created, so that it is guarded at all times.
 *
 * @param path Its absolute path.
 * @param when `"empty"` to keep the file if it has content by then.
 * @returns Resolves when the guard has received the entry.
 * @throws {Error} When `/bin/sh` cannot be started despite the permission to run it.
 */
export async function guardFile(
  path: string,
  when: "always" | "empty" = "always",
): Promise<void> {
  await addIfPermitted(pathEntry(path, when === "empty" ? "empty" : "file"));
}

/**
 * Reverts {@linkcode guardFile}: the file has been removed, or must be kept.
 *
 * @param path Its absolute path.
 * @param when As it was guarded.
 */
export async function unguardFile(
  path: string,
  when: "always" | "empty" = "always",
): Promise<void> {
  await remove(pathEntry(path, when === "empty" ? "empty" : "file"));
}

/**
 * Makes the guard remove a directory with its contents when this process dies,
 * after the groups of {@linkcode guardGroup} have exited. Must be called before the
 * directory is created.
 *
 * @param path Its absolute path.
 * @returns Resolves when the guard has received the entry.
 * @throws {Error} When `/bin/sh` cannot be started despite the permission to run it.
 */
export async function guardDirectory(path: string): Promise<void> {
  await addIfPermitted(pathEntry(path, "directory"));
}

/**
 * Reverts {@linkcode guardDirectory}: the directory has been removed, or must be kept.
 *
 * @param path Its absolute path.
 */
export async function unguardDirectory(path: string): Promise<void> {
  await remove(pathEntry(path, "directory"));
}

/**
 * Makes the guard run a command when this process dies, after the groups of
 * {@linkcode guardGroup} have exited; the last command that was added runs first.
 * It inherits this process's environment, and its working directory is `/`. Must be
 * called before the resource that it removes is created.
 *
 * @param argv The command, which must exit by itself.
 * @returns Resolves when the guard has received the entry.
 * @throws {Error} When `/bin/sh` cannot be started.
 */
export async function guardCommand(argv: readonly string[]): Promise<void> {
  await add(commandEntry(argv));
}

/**
 * Takes back a {@linkcode guardCommand}: there is nothing left to remove.
 *
 * @param argv As it was guarded.
 */
export async function unguardCommand(argv: readonly string[]): Promise<void> {
  await remove(commandEntry(argv));
}

function commandEntry(argv: readonly string[]): string {
  return `command:${octalEscaped(argv.map(shellQuote).join(" "))}`;
}

async function addIfPermitted(entry: string): Promise<void> {
  try {
    await add(entry);
  } catch (error) {
    // A component that runs no commands need not be permitted to run any.
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}

function pathEntry(
  path: string,
  kind: "file" | "empty" | "directory",
): string {
  return `${kind}:${octalEscaped(path)}`;
}

function octalEscaped(text: string): string {
  return Array.from(encoder.encode(text), (byte) => {
    const character = String.fromCharCode(byte);
    return /[\w./-]/.test(character)
      ? character
      : `\\0${byte.toString(8).padStart(3, "0")}`;
  }).join("");
}

function add(entry: string): Promise<void> {
  // Windows has no such shell: a killed process leaves its files there.
  if (Deno.build.os === "windows") return Promise.resolve();
  entries.add(entry);
  if (child !== undefined) return send(`+${entry}\n`);
  try {
    start();
  } catch (error) {
    entries.delete(entry);
    throw error;
  }
  return send([...entries].map((one) => `+${one}\n`).join(""));
}

async function remove(entry: string): Promise<void> {
  if (!entries.delete(entry)) return;
  if (entries.size > 0) return await send(`-${entry}\n`);
  const [ended, writer] = [child, stdin];
  child = stdin = undefined;
  if (ended === undefined) return;
  await writer?.write(encoder.encode(`-${entry}\n`)).catch(() => {});
  await writer?.close().catch(() => {});
  ended.ref();
  await ended.status;
}

function start(): void {
  const started = new Deno.Command("/bin/sh", {
    args: ["-c", SCRIPT, "baler-guard"],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
    cwd: "/",
    detached: true,
  }).spawn();
  // It waits for this process, not the other way round.
  started.unref();
  const writer = started.stdin.getWriter();
  [child, stdin] = [started, writer];
  // Somebody may kill it; the next entry then starts another.
  writer.closed.catch(() => {
    if (child === started) child = stdin = undefined;
  });
}

async function send(lines: string): Promise<void> {
  await stdin?.write(encoder.encode(lines)).catch(() => {});
}
