// The reaper ends the plugins of a host that was killed: a small shell process
// that outlives the host just long enough to see to it that nothing else does.

import { HAS_PROCESS_GROUPS } from "./process_group.ts";

/**
 * How long a plugin whose host is gone may take to clean up, in half seconds:
 * a little more than it gives itself.
 */
const GRACE_HALF_SECONDS = 24;

/**
 * What each plugin, and all that it starts, finds in its environment. By it
 * they are found wherever the system shows the environment of processes, also
 * those that were started in the moment in which the host was killed, or that
 * have left their group.
 */
export const HOST_ID_VARIABLE = "BALER_HOST_ID";

/** This host, as its plugins know it. */
export const HOST_ID: string = crypto.randomUUID();

/**
 * Reads who is alive, a line each, until the host is gone; then waits for
 * those that are left, and ends what does not end by itself.
 */
const SCRIPT = `
trap '' HUP INT TERM
mark="$1"
marked() {
  for one in $(grep -lszxF -- "$mark" /proc/[0-9]*/environ 2>/dev/null); do
    one=\${one#/proc/}
    echo "\${one%/environ}"
  done
}
groups=
while read -r line; do
  group=\${line#?}
  case $line in
    +*) groups="$groups $group" ;;
    -*)
      left=
      for one in $groups; do [ "$one" = "$group" ] || left="$left $one"; done
      groups=$left ;;
  esac
done
count=0
while [ $count -lt ${GRACE_HALF_SECONDS} ]; do
  left=
  for one in $groups; do kill -0 "-$one" 2>/dev/null && left="$left $one"; done
  groups=$left
  [ -n "$groups$(marked)" ] || exit 0
  sleep 0.5
  count=$((count + 1))
done
for one in $groups; do kill -KILL "-$one" 2>/dev/null; done
for one in $(marked); do kill -KILL "$one" 2>/dev/null; done
`;

const encoder = new TextEncoder();

/** What the reaper is told; undefined where there is none. */
let stdin: WritableStreamDefaultWriter<Uint8Array> | undefined;
let isStarted = false;

/**
 * Sees to it that a process group ends, should this process be killed.
 *
 * @param group The process that leads it.
 */
export function track(group: number): void {
  if (!HAS_PROCESS_GROUPS) return;
  if (!isStarted) start();
  tell(`+${group}\n`);
}

/**
 * Takes back a {@linkcode track}: the group has ended.
 *
 * @param group The process that led it.
 */
export function untrack(group: number): void {
  tell(`-${group}\n`);
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
    // It waits for this process, not the other way round.
    child.unref();
    stdin = child.stdin.getWriter();
    stdin.closed.catch(() => stdin = undefined);
  } catch {
    // A machine without a shell: there each plugin still ends by itself.
  }
}

function tell(line: string): void {
  stdin?.write(encoder.encode(line)).catch(() => {});
}
