// A plugin's standard streams: stdin and stdout carry the wire. For other code in the
// process stdin is empty, and stdout is redirected to stderr, which is the log.
// (Output that bypasses this, for example by a console function that was saved
// earlier, becomes a line that the host can distinguish from a message.)

import type { Transport } from "../rpc/transport.ts";
import { keepWireFromChildren } from "./child_stdio.ts";
import { nodeProcess } from "./node_process.ts";
import { dropUnreadStderr, stderrStream } from "./stderr.ts";
import { type ReadWire, wireReader } from "./wire_reader.ts";
import { wireWriter } from "./wire_writer.ts";

/** The two ends of the wire in this process. */
export interface WireStreams extends Transport {
  /** Reads the next bytes. */
  read: ReadWire;
}

/**
 * Claims stdin and stdout for the wire. From then on all methods of console,
 * Deno.stdout and process.stdout write to stderr, Deno.stdin and process.stdin are
 * empty, and child processes inherit neither.
 */
export function claimStdio(): WireStreams {
  const { stdin, stdout, stderr } = Deno;
  const streams = {
    read: wireReader(stdin),
    write: wireWriter(stdout),
  };
  dropUnreadStderr();
  moveConsoleToStderr(console);
  const define = (target: object, name: string, property: PropertyDescriptor) =>
    Object.defineProperty(target, name, { ...property, configurable: true });
  define(Deno, "stdout", {
    value: {
      write: stderr.write,
      writeSync: stderr.writeSync,
      writable: stderrStream(),
      isTerminal: () => false,
      close() {},
    },
  });
  define(Deno, "stdin", {
    value: {
      read: () => Promise.resolve(null),
      readSync: () => null,
      readable: new ReadableStream({
        start: (controller) => controller.close(),
      }),
      isTerminal: () => false,
      setRaw() {},
      close() {},
    },
  });
  const process = nodeProcess();
  define(process, "stdout", { get: () => process.stderr });
  define(process, "stdin", { get: emptyNodeStream });
  keepWireFromChildren();

  const refuse = () => {
    throw new Error(
      "a plugin has no terminal: ask with `ui.ask()` instead",
    );
  };
  globalThis.prompt = globalThis.confirm = globalThis.alert = refuse;
  return streams;
}

function emptyNodeStream(): unknown {
  const { Readable } = nodeProcess().getBuiltinModule("node:stream") as {
    Readable: { from(values: unknown[]): unknown };
  };
  return Readable.from([]);
}

/** The methods of console that print to stdout and are rarely called. */
const LAZY_CONSOLE_METHODS = [
  "table",
  "dirxml",
  "group",
  "groupCollapsed",
  "groupEnd",
  "count",
  "countReset",
  "time",
  "timeLog",
  "timeEnd",
] as const;

/** Redirects console to stderr. The rare methods load Node's Console when first called. */
function moveConsoleToStderr(console: Console): void {
  console.log = console.info = console.debug = console.error;
  console.dir = (value: unknown) => console.error(value);
  let onStderr: Console | undefined;
  for (const name of LAZY_CONSOLE_METHODS) {
    console[name] = (...values: unknown[]) => {
      onStderr ??= nodeConsole();
      (onStderr[name] as (...values: unknown[]) => void)(...values);
    };
  }
}

function nodeConsole(): Console {
  const process = nodeProcess();
  const { Console } = process.getBuiltinModule("node:console") as {
    Console: new (stdout: unknown) => Console;
  };
  return new Console(process.stderr);
}
