// What a command costs from its start to its end: time, processor time, and
// memory, with all the processes that it starts.

import { join } from "@std/path";

/** A command to be measured. */
export interface Measured {
  readonly argv: readonly string[];
  /** The directory that it is started in. */
  readonly cwd: string;
  /** Additional environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** The file that takes its stdout; nothing does unless given. */
  readonly output?: string;
}

/** What a command took, in milliseconds. */
export interface Cost {
  readonly wall: number;
  /** Of all its processes, in user and kernel. */
  readonly cpu: number;
}

/**
 * Runs a command by bash, whose `time` counts the processes that the command
 * waited for too.
 *
 * @throws {Error} When it fails.
 */
export async function costOf(measured: Measured): Promise<Cost> {
  const { argv, cwd, env = {}, output = "/dev/null" } = measured;
  const text = await succeeded(argv[0]!, {
    args: [
      "-c",
      'TIMEFORMAT="took %R %U %S"; time "$@" >"$0" 2>/dev/null',
      output,
      ...argv,
    ],
    cwd,
    env,
  });
  return costIn(text);
}

/** Runs a bash command line that measures a part of it with `time`. */
export async function costOfPipeline(line: string, cwd: string): Promise<Cost> {
  return costIn(
    await succeeded(line, {
      args: [
        "-c",
        `TIMEFORMAT="took %R %U %S"; ${line}`,
      ],
      cwd,
      env: { LC_ALL: "C" },
    }),
  );
}

async function succeeded(
  what: string,
  options: Deno.CommandOptions,
): Promise<string> {
  const { success, stderr } = await new Deno.Command("bash", {
    ...options,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  const text = new TextDecoder().decode(stderr);
  if (!success) throw new Error(`${what} failed: ${text}`);
  return text;
}

function costIn(text: string): Cost {
  // In some languages the numbers have a comma.
  const [, wall, user, system] =
    /took (\S+) (\S+) (\S+)/.exec(text.replaceAll(",", ".")) ?? [];
  return {
    wall: Number(wall) * 1000,
    cpu: (Number(user) + Number(system)) * 1000,
  };
}

/** How often processes are sampled, in milliseconds. */
const INTERVAL = 10;

/**
 * The most memory that a command and all that it starts have at a time, in
 * MiB: each page counts for the part that a process has in it (PSS).
 */
export async function peakMemoryOf(measured: Measured): Promise<number> {
  const { child, status } = started(measured);
  let peak = 0;
  let ended = false;
  status.then(() => ended = true);
  while (!ended) {
    peak = Math.max(peak, await memoryOf(child.pid));
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
  return peak;
}

/** What a command took by itself, without the processes that it starts. */
export async function ownCostOf(measured: Measured): Promise<Cost> {
  const begin = performance.now();
  const { child, status } = started(measured);
  let cpu = 0;
  let ended = false;
  status.then(() => ended = true);
  while (!ended) {
    cpu = Math.max(cpu, await ownCpuOf(child.pid));
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
  return { wall: performance.now() - begin, cpu };
}

function started({ argv, cwd, env = {} }: Measured) {
  const [command, ...args] = argv;
  const child = new Deno.Command(command!, {
    args,
    cwd,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const status = child.status.then(({ success }) => {
    if (!success) throw new Error(`${argv.join(" ")} failed`);
  });
  return { child, status };
}

/** The memory of a process and of all below it, in MiB. */
export async function memoryOf(root: number): Promise<number> {
  let total = 0;
  for (const pid of await familyOf(root)) {
    const text = await read(join("/proc", String(pid), "smaps_rollup"));
    total += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024;
  }
  return total;
}

/** The most memory that each process of a family had so far (RSS), in MiB. */
export async function highWaterOf(root: number): Promise<number[]> {
  const marks: number[] = [];
  for (const pid of await familyOf(root)) {
    const text = await read(join("/proc", String(pid), "status"));
    marks.push(Number(/^VmHWM:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024);
  }
  return marks;
}

/** Linux counts in hundredths of a second. */
const TICK = 10;

async function ownCpuOf(pid: number): Promise<number> {
  const fields = await statOf(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK;
}

/** A process's line in /proc, from its state on: a name may have any character. */
async function statOf(pid: number | string): Promise<string[]> {
  const text = await read(join("/proc", String(pid), "stat"));
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

async function familyOf(root: number): Promise<number[]> {
  const children = new Map<number, number[]>();
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number((await statOf(name))[1]);
    if (!children.has(parent)) children.set(parent, []);
    children.get(parent)!.push(Number(name));
  }
  const family = [root];
  for (const pid of family) family.push(...children.get(pid) ?? []);
  return family;
}

/** Reads a file of /proc; returns "" when its process has exited. */
async function read(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return "";
  }
}
