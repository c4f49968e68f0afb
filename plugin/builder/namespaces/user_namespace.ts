// A user namespace: in it this user is root, with the numbers of users and groups
// that the kernel grants to this user, and has no rights outside of it.

import { basename, dirname, join } from "@std/path";
import { findProgram } from "../find_program.ts";
import { runProgram } from "../run_program.ts";

/**
 * The process that the namespace belongs to. It says when it is there, waits
 * until its numbers are mapped, and makes the programs that are run in the
 * namespace read-only: root in there may be their owner (CVE-2019-5736). When
 * its stdin ends, which is when the plugin has ended in whatever way, it removes
 * the directories that were made for the namespace: only root in there may.
 * Processes in the namespace may take a moment to end, so it tries for a while.
 */
const HOLDER = `
trap '' HUP INT TERM
echo there
read -r _ || exit 0
for program in "$1" "$2"; do
  mount --bind "$program" "$program" &&
    mount -o remount,bind,ro "$program" || exit 1
done
shift 2
echo ready
while read -r line; do
  [ "$line" != keep ] || exit 0
done
tries=0
until rm -rf -- "$@" 2>/dev/null || [ $tries -ge 100 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
`;

/** The first number of the subordinate ids in the namespace; root is before. */
const FIRST_SUBORDINATE = 1;

/** How ids of the namespace are mapped to ids outside: first in it, first outside, how many. */
type IdMap = (readonly [inside: number, outside: number, count: number])[];

/** What a {@linkcode UserNamespace} is made with. */
export interface UserNamespaceOptions {
  /** Directories that are removed with it, whatever is in them; they need not exist. */
  directories: readonly string[];
  /** True for no namespace of users, so that root in it is root outside. Only for root. */
  isPrivileged?: boolean;
  /** Stops making it when aborted. */
  signal?: AbortSignal;
}

/** A user namespace, which ends with this process at the latest. */
export class UserNamespace implements AsyncDisposable {
  /** False where it has one user alone, root: files can have no other owner then. */
  readonly hasOwners: boolean;
  readonly #holder: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #isPrivileged: boolean;
  readonly #nsenter: string;

  private constructor(
    holder: Deno.ChildProcess,
    stdin: WritableStreamDefaultWriter<Uint8Array>,
    nsenter: string,
    isPrivileged: boolean,
    hasOwners: boolean,
  ) {
    this.#holder = holder;
    this.#stdin = stdin;
    this.#nsenter = nsenter;
    this.#isPrivileged = isPrivileged;
    this.hasOwners = hasOwners;
  }

  /**
   * Makes one: as root with all ids, as another user with those of `/etc/subuid`
   * and `/etc/subgid`, and where there are none with root alone.
   *
   * @param options What belongs to it.
   * @throws {Error} When the kernel or a missing program forbids it.
   */
  static async create(
    { directories, isPrivileged = false, signal }: UserNamespaceOptions,
  ): Promise<UserNamespace> {
    const nsenter = await withoutSymlinks(
      await findProgram("nsenter", "util-linux"),
    );
    const unshare = await findProgram("unshare", "util-linux");
    const holder = new Deno.Command(unshare, {
      args: [
        ...isPrivileged ? [] : ["--user"],
        ...["--mount", "--", "/bin/sh", "-c", HOLDER, "baler-guard"],
        ...[nsenter, await Deno.realPath(Deno.execPath()), ...directories],
      ],
      // Whoever ends processes by their environment is to leave it its time.
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin" },
      cwd: "/",
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
    const stdin = holder.stdin.getWriter();
    stdin.closed.catch(() => {});
    const lines = new Lines(holder.stdout);
    try {
      await expect(holder, lines, "there", isPrivileged);
      const hasOwners = isPrivileged || await mapIds(holder.pid, signal);
      const namespace = new UserNamespace(
        ...[holder, stdin, nsenter, isPrivileged, hasOwners] as const,
      );
      await stdin.write(new TextEncoder().encode("mapped\n"));
      await expect(holder, lines, "ready", isPrivileged);
      holder.stderr.cancel().catch(() => {});
      lines.cancel();
      signal?.throwIfAborted();
      return namespace;
    } catch (error) {
      await stdin.close().catch(() => {});
      await holder.status;
      throw error;
    }
  }

  /**
   * The command that runs a program in the namespace, as its root, with this
   * machine's files.
   *
   * @param argv The program and its arguments.
   */
  inside(argv: readonly string[]): string[] {
    return [...this.enter(this.#holder.pid, ["--mount"]), ...argv];
  }

  /**
   * The start of a command that joins the namespaces of a process in this one.
   *
   * @param pid The process.
   * @param kinds Which of its namespaces, as flags of nsenter.
   */
  enter(pid: number, kinds: readonly string[]): string[] {
    return [
      // As the holder sees it: read-only.
      `/proc/${this.#holder.pid}/root${this.#nsenter}`,
      ...["--target", String(pid), ...this.#isPrivileged ? [] : ["--user"]],
      ...kinds,
      // One user alone may not even drop groups.
      ...this.hasOwners
        ? ["--setuid", "0", "--setgid", "0"]
        : ["--preserve-credentials"],
      "--",
    ];
  }

  /** Ends it, and leaves its directories as they are. */
  async keep(): Promise<void> {
    await this.#stdin.write(new TextEncoder().encode("keep\n")).catch(
      () => {/* It was killed. */},
    );
    await this[Symbol.asyncDispose]();
  }

  /** Ends it, and removes its directories; all processes in it have to have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stdin.close().catch(() => {});
    await this.#holder.status;
  }
}

/** Waits for a line of the holder. */
async function expect(
  holder: Deno.ChildProcess,
  lines: Lines,
  line: string,
  isPrivileged: boolean,
): Promise<void> {
  if (await lines.next() === line) return;
  const stderr = (await new Response(holder.stderr).text()).trim();
  const advice = isPrivileged
    ? "only root may run a privileged build"
    : "the kernel may forbid user namespaces (sysctl user.max_user_namespaces, " +
      "kernel.unprivileged_userns_clone, " +
      "kernel.apparmor_restrict_unprivileged_userns); " +
      "root can do without, with the option privileged";
  throw new Error(`cannot make namespaces: ${stderr}; ${advice}`);
}

/**
 * Maps ids into the namespace of a process.
 *
 * @returns False where it has root alone.
 */
async function mapIds(
  pid: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const write = (kind: "uid" | "gid", map: IdMap) =>
    Deno.writeTextFile(
      `/proc/${pid}/${kind}_map`,
      map.map((range) => `${range.join(" ")}\n`).join(""),
    );
  const [uid, gid] = [Deno.uid() ?? 0, Deno.gid() ?? 0];
  if (uid === 0) {
    await write("uid", await ownIds("uid"));
    await write("gid", await ownIds("gid"));
    return true;
  }
  const user = await userName(uid);
  const uids = await subordinateIds("/etc/subuid", user, uid);
  const gids = await subordinateIds("/etc/subgid", user, uid);
  const programs = await Promise.all([
    findProgram("newuidmap"),
    findProgram("newgidmap"),
  ]).catch(() => undefined);
  if (uids.length > 0 && gids.length > 0 && programs !== undefined) {
    const words = (own: number, ranges: IdMap) =>
      [[0, own, 1], ...ranges].flat().map(String);
    const options = signal ? { signal } : {};
    await runProgram([programs[0], String(pid), ...words(uid, uids)], options);
    await runProgram([programs[1], String(pid), ...words(gid, gids)], options);
    return true;
  }
  await Deno.writeTextFile(`/proc/${pid}/setgroups`, "deny");
  await write("uid", [[0, uid, 1]]);
  await write("gid", [[0, gid, 1]]);
  return false;
}

/** All ids that this process has, each for itself. */
async function ownIds(kind: "uid" | "gid"): Promise<IdMap> {
  const text = await Deno.readTextFile(`/proc/self/${kind}_map`);
  return text.trim().split("\n").map((line) => {
    const [inside = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
    return [inside, inside, count] as const;
  });
}

/** The ids that a file such as `/etc/subuid` gives to a user. */
async function subordinateIds(
  path: string,
  user: string | undefined,
  uid: number,
): Promise<IdMap> {
  const text = await Deno.readTextFile(path).catch(() => "");
  const map: IdMap = [];
  let inside = FIRST_SUBORDINATE;
  for (const line of text.split("\n")) {
    const [name, first, count] = line.trim().split(":");
    if (name !== user && name !== String(uid)) continue;
    if (!/^\d+$/.test(first ?? "") || !/^\d+$/.test(count ?? "")) continue;
    map.push([inside, Number(first), Number(count)]);
    inside += Number(count);
  }
  return map;
}

async function userName(uid: number): Promise<string | undefined> {
  const text = await Deno.readTextFile("/etc/passwd").catch(() => "");
  for (const line of text.split("\n")) {
    const [name, , id] = line.split(":");
    if (id === String(uid)) return name;
  }
  return Deno.env.get("USER");
}

/** A program's path, in which its own name alone may be a symlink: busybox goes by that. */
async function withoutSymlinks(path: string): Promise<string> {
  return join(await Deno.realPath(dirname(path)), basename(path));
}

/** Reads a stream line by line. */
export class Lines {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  /** @param stream The stream. */
  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** The next line; undefined at the end. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** Reads no more. */
  cancel(): void {
    this.#reader.cancel().catch(() => {});
  }
}
