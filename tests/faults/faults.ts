// The faults: every way in which a plugin's process can fail, as functions. None
// of them asks the library that serves the plugin; that is how real faults come, too.

import type { FaultName, PauseName } from "./matrix.ts";

// Kept from before the library takes it for the wire.
const wire = Deno.stdout;
const exit = Deno.exit;
const encoder = new TextEncoder();

/** Writes all of a text to the real stdout. */
export function writeWire(text: string): void {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(wire.writeSync(bytes));
}

/** Closes the process's end of the pipe, bypassing the runtime's own handle. */
function closeWire(): void {
  const libc = Deno.dlopen("libc.so.6", {
    close: { parameters: ["i32"], result: "i32" },
  });
  const pipe = Deno.readLinkSync("/proc/self/fd/1");
  const held = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => name)
    .filter((name) => linkOf(name) === pipe);
  for (const name of held) libc.symbols.close(Number(name));
}

function linkOf(name: string): string | undefined {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${name}`);
  } catch {
    // The one with which the directory itself was read.
  }
}

/** Stays alive, and does nothing. */
function live(): Promise<never> {
  return new Promise(() => setInterval(() => {}, 1_000_000));
}

/**
 * Keeps this thread, so that nothing that comes is heard, for so many
 * milliseconds. What that looks like from outside is what a busy thread looks
 * like, but it leaves the CPU to the cells that run in parallel.
 */
function turnAwayFor(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Each fault; what returns has left the process alive, or on its way to its end. */
const FAULTS: Readonly<Record<FaultName, () => Promise<never>>> = {
  exit0: () => exit(0),
  exit3: () => exit(3),
  uncaught() {
    setTimeout(() => {
      throw new Error("nobody catches this");
    });
    return live();
  },
  rejection() {
    Promise.reject(new Error("nobody awaits this"));
    return live();
  },
  sigkill() {
    Deno.kill(Deno.pid, "SIGKILL");
    return live();
  },
  sigsegv() {
    // A true one: the runtime survives the first that is sent to it.
    new Deno.UnsafePointerView(Deno.UnsafePointer.create(8n)!).getUint8();
    return live();
  },
  sigstop() {
    Deno.kill(Deno.pid, "SIGSTOP");
    return live();
  },
  closedStdout() {
    closeWire();
    return live();
  },
  loop() {
    for (;;) turnAwayFor(1_000);
  },
  garbage() {
    // With and without line ends, with bytes that are not UTF-8.
    const line = `\x00\x1b[31m\u{1F4A5}${"garbage ".repeat(20)}`;
    for (let part = 0; part < 10; part++) {
      writeWire(`${line}\n`.repeat(5_000) + line.repeat(1_000));
    }
    return live();
  },
  truncated() {
    writeWire('\n{"json":{"call":1,"method":"sa');
    closeWire();
    return live();
  },
};

/** Says its last words, and does what the fault is. */
export function goWrong(fault: FaultName, moment: string): Promise<never> {
  console.error(`last words ${moment}`);
  return FAULTS[fault]();
}

/** How long a busy plugin hears nothing, in milliseconds. */
const BUSY = 2_000;

/** Each pause: returns when the host has died and the plugin may exit. */
const PAUSES: Readonly<
  Record<PauseName, (signal?: AbortSignal) => Promise<void>>
> = {
  waiting: (signal) =>
    signal === undefined ? live() : new Promise((_, reject) => {
      const timer = setInterval(() => {}, 1_000_000);
      const abort = () => {
        clearInterval(timer);
        reject(signal.reason);
      };
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
    }),
  busy() {
    turnAwayFor(BUSY);
    return Promise.resolve();
  },
};

/** Says its last words, and pauses, together with a process that would never end. */
export function pause(
  how: PauseName,
  moment: string,
  lifeline: string,
  signal?: AbortSignal,
): Promise<void> {
  new Deno.Command("sh", {
    args: ["-c", '(sleep 600 & sleep 601) > "$0"', lifeline],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn().unref();
  console.error(`last words ${moment}`);
  return PAUSES[how](signal);
}
