// A plugin's stderr, which the host reads into its log. When the host has been
// killed, further output is dropped: a failing write of a log line must not stop a
// component's cleanup.

import { nodeProcess, type NodeStream } from "./node_process.ts";

/** Set by the first write that fails with EPIPE. */
let isUnread = false;

/** The process that started this one: the host, or a wrapper of the plugin's command. */
const parent = Deno.ppid;

/**
 * Whether stderr has no reader any more. The end of stdin is no sign of that: at the
 * end of a build the host closes stdin, and reads stderr to its end. But a process
 * whose parent has died gets another parent.
 */
export function isStderrUnread(): boolean {
  return isUnread || Deno.ppid !== parent;
}

/** Whether an error means that the pipe has no reader (EPIPE). */
function isBrokenPipe(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    (error as { code?: unknown } | null)?.code === "EPIPE";
}

/** Swallows the error of a pipe without a reader; throws any other. */
function dropBrokenPipe(error: unknown): void {
  if (!isBrokenPipe(error)) throw error;
  isUnread = true;
}

/** Writes all bytes to stderr. */
export function writeStderr(bytes: Uint8Array): void {
  while (bytes.length > 0) {
    bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
  }
}

/** Returns a stream to stderr. Closing it does not close stderr. */
export function stderrStream(): WritableStream<Uint8Array<ArrayBuffer>> {
  return new WritableStream({ write: writeStderr });
}

/** Makes every way to write to stderr drop the output when there is no reader. */
export function dropUnreadStderr(): void {
  guardDeno(Deno.stderr);
  console.error = guarded(console.error);
  console.warn = guarded(console.warn);
  console.trace = guarded(console.trace);
  console.assert = guarded(console.assert);
  guardNode();
}

function guarded<Values extends unknown[]>(print: (...values: Values) => void) {
  return (...values: Values): void => {
    try {
      print.apply(console, values);
    } catch (error) {
      dropBrokenPipe(error);
    }
  };
}

function guardDeno(stderr: typeof Deno.stderr): void {
  const { write, writeSync } = stderr;
  define(stderr, "write", {
    value: async (bytes: Uint8Array) => {
      try {
        return await write.call(stderr, bytes);
      } catch (error) {
        dropBrokenPipe(error);
        return bytes.length;
      }
    },
  });
  define(stderr, "writeSync", {
    value: (bytes: Uint8Array) => {
      try {
        return writeSync.call(stderr, bytes);
      } catch (error) {
        dropBrokenPipe(error);
        return bytes.length;
      }
    },
  });
  // Deno's own stream closes the file when a write to it fails.
  define(stderr, "writable", { value: stderrStream() });
}

/** Does the same for `process.stderr` on first use: creating it loads much of Node. */
function guardNode(): void {
  const process = nodeProcess();
  const original = Object.getOwnPropertyDescriptor(process, "stderr");
  let stream: NodeStream | undefined;
  define(process, "stderr", {
    get() {
      stream ??= guardedNodeStream(
        original?.get?.call(process) ?? original?.value,
      );
      return stream;
    },
  });
}

function guardedNodeStream(stream: NodeStream): NodeStream {
  const { _write } = stream;
  stream._write = function (chunk, encoding, done) {
    const finish = (error?: unknown) => {
      if (isBrokenPipe(error)) isUnread = true;
      done(isBrokenPipe(error) ? null : error);
    };
    try {
      _write.call(this, chunk, encoding, finish);
    } catch (error) {
      finish(error);
    }
  };
  return stream;
}

function define(target: object, name: string, property: PropertyDescriptor) {
  Object.defineProperty(target, name, { ...property, configurable: true });
}
