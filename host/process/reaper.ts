// The reaper: a small shell process that outlives the host, and kills the
// plugins that a killed host leaves behind.

import { HAS_PROCESS_GROUPS } from "./process_group.ts";
import { noteSpawned } from "./subreaper.ts";

/**
 * How long a process may take to exit after the host's death while it shows no
 * activity, in half seconds: a little more than a plugin's own limit.
 */
const GRACE_HALF_SECONDS = 24;

/**
 * How long a plugin may clean up after the host's death as long as it shows
 * activity, in half seconds: 15 minutes. No host is left that could be told to
 * kill it earlier.
 */
const MAX_CLEANUP_HALF_SECONDS = 15 * 60 * 2;

/** The time between SIGTERM and SIGKILL after a second Ctrl-C, in seconds. */
const HURRY_GRACE_S = 0.3;

/**
 * A variable in the environment of each plugin and its descendants. Where the
 * system shows the environment of processes (/proc), the reaper finds them by
 * it, including those that were started while the host died and those that have
 * left their group.
 */
export const HOST_ID_VARIABLE = "BALER_HOST_ID";

/** The value of {@linkcode HOST_ID_VARIABLE} for the plugins of this host. */
export const HOST_ID: string = crypto.randomUUID();

/**
 * Reads the list of groups, a line each, until stdin is closed because the host
 * has exited. Then waits for the groups to exit, and kills those that do not.
 *
 * A group whose leader has completed the handshake gets more time while it is
 * active. The sign of activity is the number of voluntary context switches of
 * its main thread (proc(5)): it grows while an event loop turns, and does not in
 * an endless loop, in a stopped process, or in one that waits.
 *
 * "!" on stdin or SIGUSR1 requests that everything be killed at once (a second
 * Ctrl-C).
 */
const SCRIPT = `
trap '' HUP INT TERM
hurry=
trap 'hurry=1' USR1
mark="$1"
marked() {
  for one in $(grep -lszxF -- "$mark" /proc/[0-9]*/environ 2>/dev/null); do
    one=\${one#/proc/}
    echo "\${one%/environ}"
  done
}
switches() {
  while read -r key value; do
    case $key in voluntary_ctxt_switches:) sum=$sum,$value ;; esac
  done 2>/dev/null < "/proc/$1/status"
}
end() {
  for one in $groups; do kill "-$1" "-$one" 2>/dev/null; done
  for one in $(marked); do kill "-$1" "$one" 2>/dev/null; done
}
groups=
plugins=
while read -r line; do
  group=\${line#?}
  case $line in
    +*) groups="$groups $group" ;;
    -*)
      left=
      for one in $groups; do [ "$one" = "$group" ] || left="$left $one"; done
      groups=$left ;;
    =*) plugins="$plugins $group " ;;
    !*) hurry=1 ;;
  esac
done
if [ -n "$hurry" ]; then
  end TERM
  [ -n "$groups$(marked)" ] && sleep ${HURRY_GRACE_S}
  end KILL
  exit 0
fi
total=0
quiet=0
before=
while [ $quiet -lt ${GRACE_HALF_SECONDS} ]; do
  left=
  sum=
  for one in $groups; do
    kill -0 "-$one" 2>/dev/null || continue
    left="$left $one"
    case $plugins in *" $one "*) switches "$one" ;; esac
  done
  groups=$left
  [ -n "$groups$(marked)" ] || exit 0
  total=$((total + 1))
  quiet=$((quiet + 1))
  if [ "$sum" != "$before" ] && [ $total -lt ${MAX_CLEANUP_HALF_SECONDS} ]; then
    quiet=0
    before=$sum
  fi
  sleep 0.5
done
end KILL
`;

const encoder = new TextEncoder();

/** The reaper's process; undefined where there is none. */
let reaper: {
  pid: number;
  stdin: WritableStreamDefaultWriter<Uint8Array>;
} | undefined;
let isStarted = false;

/**
 * Makes the reaper kill a process group when this process is killed.
 *
 * @param group The process id of its leader.
 */
export function track(group: number): void {
  if (!HAS_PROCESS_GROUPS) return;
  if (!isStarted) start();
  send(`+${group}\n`);
}

/**
 * Reverts {@linkcode track}: the group has exited.
 *
 * @param group The process id of its leader.
 */
export function untrack(group: number): void {
  send(`-${group}\n`);
}

/**
 * Tells the reaper that a tracked process has completed the handshake of a
 * plugin, so that it cleans up by itself after the death of this process.
 *
 * @param group The process id of its leader.
 */
export function trackHandshake(group: number): void {
  send(`=${group}\n`);
}

/**
 * Makes the reaper kill all tracked groups as soon as this process exits.
 */
export function hurryReaper(): void {
  resumeReaper();
  send("!\n");
}

/** Continues the reaper, which a plugin may have stopped. */
export function resumeReaper(): void {
  if (reaper === undefined) return;
  try {
    Deno.kill(reaper.pid, "SIGCONT");
  } catch {
    // It has been killed.
  }
}

/** The reaper's process id; undefined where there is none. */
export function reaperPid(): number | undefined {
  return reaper?.pid;
}

function start(): void {
  isStarted = true;
  try {
    const child = new Deno.Command("/bin/sh", {
      args: ["-c", SCRIPT, "baler-reaper", `${HOST_ID_VARIABLE}=${HOST_ID}`],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      cwd: "/",
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin" },
      detached: true,
    }).spawn();
    // This process must not wait for the reaper.
    child.unref();
    noteSpawned(child.pid);
    const stdin = child.stdin.getWriter();
    reaper = { pid: child.pid, stdin };
    stdin.closed.catch(() => reaper = undefined);
  } catch {
    // There is no shell: each plugin still exits by itself at the end of its stdin.
  }
}

function send(line: string): void {
  reaper?.stdin.write(encoder.encode(line)).catch(() => {});
}
