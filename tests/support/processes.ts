// What tests ask about processes of this machine: from /proc on Linux, where ps may be missing, else from ps.

/** A process and its command line. */
export interface Process {
  readonly pid: number;
  /** The arguments, separated by spaces. */
  readonly command: string;
}

/**
 * Whether a process exists and has not exited; a zombie has.
 *
 * @param pid The process ID.
 */
export async function isRunning(pid: number): Promise<boolean> {
  const state = await stateOf(pid);
  return state !== undefined && !/^[ZX]/.test(state);
}

/**
 * Whether a process exists, be it as a zombie.
 *
 * @param pid The process ID.
 */
export async function exists(pid: number): Promise<boolean> {
  return await stateOf(pid) !== undefined;
}

/**
 * The children of a process.
 *
 * @param parent The process ID of their parent.
 */
export async function childrenOf(parent: number): Promise<Process[]> {
  if (Deno.build.os !== "linux") {
    const lines = await ps("-A", "-o", "ppid=,pid=,args=");
    return lines.flatMap((line) => {
      const [, ppid, pid, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ??
        [];
      return Number(ppid) === parent
        ? [{ pid: Number(pid), command: command! }]
        : [];
    });
  }
  const children: Process[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      const [, ppid] = await statOf(pid);
      if (Number(ppid) !== parent) continue;
      const command = await Deno.readTextFile(`/proc/${pid}/cmdline`);
      children.push({ pid, command: command.replaceAll("\0", " ").trim() });
    } catch {
      // It has exited meanwhile.
    }
  }
  return children;
}

async function stateOf(pid: number): Promise<string | undefined> {
  if (Deno.build.os !== "linux") {
    return (await ps("-o", "stat=", "-p", String(pid)))[0]?.trim();
  }
  try {
    return (await statOf(pid))[0];
  } catch {
    return undefined;
  }
}

/** Returns the fields of /proc/PID/stat after the name, which is in parentheses and may contain spaces. */
async function statOf(pid: number): Promise<string[]> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

async function ps(...args: string[]): Promise<string[]> {
  const { stdout } = await new Deno.Command("ps", { args }).output();
  return new TextDecoder().decode(stdout).split("\n").filter(Boolean);
}
