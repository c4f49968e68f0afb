// The subject: one end of the wire with calls in flight and things exported, which is fed what the
// peer would never write, and the invariants that must hold whatever it was.

import { Connection } from "../../plugin/rpc/connection.ts";
import { DEFAULT_LIMITS, ProtocolError } from "../../plugin/rpc/protocol.ts";
import {
  expectArtifact,
  expectPostProcessResult,
  expectPrepareResult,
  textOfArtifact,
} from "../../host/build/component_results.ts";
import { formatErrorChain } from "../../host/errors/error_message.ts";
import { buildErrorMessage } from "../../host/errors/format_error.ts";
import { OutputBacklog, PluginUi } from "../../host/terminal/plugin_ui.ts";
import type { Random } from "../support/random.ts";
import { strangeAnswer } from "./mutate.ts";

/** Which end is fed. */
export type End = "host" | "plugin";

/** Who the other side is, for each end. */
const PEERS: Readonly<Record<End, string>> = {
  host: "/opt/baler-builder-fuzzed",
  plugin: "the host",
};

const decoder = new TextDecoder();

/** The most raw bytes of a message. */
const MAX_BYTES = 64 * 1024 * 1024;

/** How often objects that were not exported were called. */
let trespasses = 0;

/** An object that is exported, and a part of it that is not. */
class Exported {
  field = { deep: [1, 2, 3] };

  use(...values: unknown[]): number {
    values.forEach(touch);
    return values.length;
  }

  echo(value: unknown): unknown {
    return value;
  }

  fail(): never {
    throw new RangeError("as it should");
  }

  report(value: unknown): void {
    report(value);
  }

  later(value: unknown): Promise<unknown> {
    return Promise.resolve(value);
  }

  _hidden(): void {
    trespasses++;
  }

  get hidden(): () => void {
    return () => trespasses++;
  }
}

/** What plugins and hosts do with values that they are given. */
function touch(value: unknown): void {
  const quiet = (promise: unknown) =>
    Promise.resolve(promise).then(() => {}, () => {});
  if (typeof value === "function") quiet(value("called"));
  else if (value instanceof ReadableStream && !value.locked) {
    const reader = value.getReader();
    quiet(reader.read());
    quiet(reader.cancel("no more"));
    quiet(reader.closed);
  } else if (value instanceof WritableStream && !value.locked) {
    const writer = value.getWriter();
    quiet(writer.write(new Uint8Array(3)));
    quiet(writer.ready);
    quiet(writer.closed);
    quiet(writer.abort("no more"));
  } else if (value instanceof AbortSignal) {
    value.addEventListener("abort", () => value.reason);
  } else if (
    // An array converts all that is in it, however often: nobody's program does that.
    typeof value === "object" && value !== null && !Array.isArray(value)
  ) {
    // The language calls the object's own methods, which are the other side's.
    if (hasMembers(value)) {
      for (const convert of CONVERSIONS) attempt(() => quiet(convert(value)));
    }
    quiet(value);
  }
}

const CONVERSIONS: readonly ((value: object) => unknown)[] = [
  (value) => `${value}`,
  (value) => Number(value),
  async (value) => {
    for await (const one of value as AsyncIterable<unknown>) return one;
  },
];

/** Whether a conversion of an object calls the other side. */
function hasMembers(value: object): boolean {
  return typeof (value as { next?: unknown }).next === "function" ||
    value.toString !== Object.prototype.toString ||
    value.valueOf !== Object.prototype.valueOf;
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // The value is not of the kind.
  }
}

/** What the host does with what a component returns or throws. */
function report(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (
    const check of [
      () => textOfArtifact(expectArtifact(value)!),
      () => expectPrepareResult(value, "prepare"),
      () => expectPostProcessResult(value),
    ]
  ) attempt(check);
  const text = `${buildErrorMessage(value)}${formatErrorChain(value).join()}`;
  if (text.length > MAX_REPORT_LENGTH) endless++;
}

/** How long what the host tells of one value may be, in characters. */
const MAX_REPORT_LENGTH = 10_000_000;

/** How often what it tells was longer. */
let endless = 0;

const ui = new PluginUi({
  say() {},
  message() {},
  error() {},
  machine() {},
  ask: () => Promise.resolve("answer"),
  progress() {},
  room: undefined,
}, new OutputBacklog());

/** What may be called, by reference; a function is called without a method. */
const CALLABLE: ReadonlyMap<unknown, readonly unknown[]> = new Map([
  [0, ["create", "use", "echo"]],
  [1, ["use", "echo", "fail", "report", "later"]],
  [2, [undefined]],
  [3, ["read", "cancel"]],
  [4, ["write", "close", "abort"]],
  [6, ["say", "message", "error", "machine", "ask", "progress"]],
]);

/** How many calls wait for their answers when an end is fed. */
const CALLS = 12;

/** How often its calls are answered: an answer can lead to another call. */
const ANSWER_ROUNDS = 4;

const CALL_LINE = /^\n?\{"json":\{"call":(\d+)/gm;

/** One end, ready to be fed. */
export class Subject {
  readonly #end: End;
  readonly #connection: Connection;
  readonly #errors: ProtocolError[] = [];
  readonly #written: string[] = [];
  readonly #settled: Promise<unknown>[] = [];

  constructor(end: End) {
    this.#end = end;
    const exported = new Exported();
    class Root {
      create = (...values: unknown[]) => exported.use(...values);
      use = exported.use;
      echo = exported.echo;
      hidden(): void {
        trespasses++;
      }
    }
    this.#connection = new Connection({
      write: (bytes) => void this.#written.push(decoder.decode(bytes)),
    }, {
      peer: PEERS[end],
      // The memory for announced bytes is reserved before they arrive.
      limits: { ...DEFAULT_LIMITS, bytes: MAX_BYTES },
      root: new Root(),
      onProtocolError: (error) => void this.#errors.push(error),
      ...(end === "host" ? { onText() {} } : {}),
    });
    // References 1 to 6, and twelve calls that wait for their answers.
    const values = [
      exported,
      (...values: unknown[]) => exported.use(...values),
      new ReadableStream({ pull: (controller) => controller.enqueue("more") }),
      new WritableStream(),
      new AbortController().signal,
      ui,
    ];
    for (let call = 1; call <= CALLS; call++) {
      const args = call === 1 ? [values] : [];
      const answer = this.#connection.call(0, "work", args);
      this.#settled.push(
        answer.then((value) => {
          touch(value);
          if (call === 2) report(value);
        }, (error) => call === 2 ? report(error) : undefined),
      );
    }
  }

  /** Feeds it, in pieces of any size; nothing may come out of that but answers. */
  feed(random: Random, input: Uint8Array): void {
    for (let at = 0; at < input.length;) {
      const length = random.once(3) ? input.length : 1 + random.below(300);
      this.#connection.receive(input.subarray(at, at + length));
      at += length;
    }
  }

  /** Answers the calls that came of what it was fed, such as those of a conversion. */
  async answer(random: Random): Promise<void> {
    let read = 0;
    let call = CALLS;
    for (let round = 0; round < ANSWER_ROUNDS; round++) {
      await null;
      if (this.#written.length === read) return;
      const made = this.#written.slice(read).join("");
      read = this.#written.length;
      for (const [, number] of made.matchAll(CALL_LINE)) {
        if (Number(number) <= call) continue;
        call = Number(number);
        this.#connection.receive(strangeAnswer(random, call));
      }
    }
  }

  /** What is wrong with it now; undefined when nothing is. */
  async wrong(input: Uint8Array): Promise<string | undefined> {
    const polluted = pollution();
    if (polluted !== undefined) return polluted;
    if (endless > 0) return "what is told of a value has no end";
    if (trespasses > 0) return "something was called that was not exported";
    const errors = this.#errors;
    if (errors.length > 1) return "more than one protocol error";
    const [error] = errors;
    if (error !== undefined) {
      if (!(error instanceof ProtocolError)) return "another kind of error";
      if (!error.message.startsWith(PEERS[this.#end])) {
        return `the peer is not named: ${error.message}`;
      }
      // What is quoted in it are the other side's words.
      if (OF_THE_RUNTIME.test(error.message.replaceAll(QUOTED, ""))) {
        return `not in a person's words: ${error.message}`;
      }
      if (error.message.length > 2_000) return "an endless message";
      if (this.#connection.pending > 0) return "a call waits for ever";
      if (this.#connection.references.imported > 0) {
        return "a reference is kept";
      }
    } else {
      const dumb = await this.#dumb(input);
      if (dumb !== undefined) return dumb;
    }
    return this.#strangeAnswer(input);
  }

  /** Lets it go, with all that waits. */
  async close(): Promise<void> {
    this.#connection.receiveEnd(new Error("the end"));
    await Promise.all(this.#settled);
  }

  /** An end that is still open, and not in the middle of a message, answers. */
  async #dumb(input: Uint8Array): Promise<string | undefined> {
    const text = decoder.decode(input);
    if (text.includes("bytes") || input[input.length - 1] !== 10) return;
    const before = this.#written.length;
    this.#connection.receive(PING);
    if (this.#errors.length > 0) return "a valid message is refused";
    await Promise.resolve();
    return this.#written.slice(before).join("").includes(
        '{"return":987654321,"value":"ping"}',
      )
      ? undefined
      : "it does not answer any more";
  }

  /** A call of an object that is not exported is never answered with a value. */
  #strangeAnswer(input: Uint8Array): string | undefined {
    const returned = new Set(
      [...this.#written.join("").matchAll(/^\{"json":\{"return":(\d+)/gm)]
        .map(([, call]) => Number(call)),
    );
    if (returned.size === 0) return;
    const calls = new Map<number, boolean>();
    for (const line of decoder.decode(input).split("\n")) {
      const { json, meta } = parsed(line);
      if (typeof json?.call !== "number") continue;
      const { call, on = 0, method } = json;
      // With annotations, the JSON value is not the decoded value.
      const allowed = meta !== undefined ||
        (CALLABLE.get(on)?.includes(method) ?? false);
      calls.set(call, allowed || (calls.get(call) ?? false));
    }
    for (const [call, allowed] of calls) {
      if (!allowed && returned.has(call)) return `call ${call} was answered`;
    }
  }
}

const PING = new TextEncoder().encode(
  '{"json":{"call":987654321,"method":"echo","args":["ping"]}}\n',
);

const QUOTED = /"(?:[^"\\]|\\.)*"/g;

/** The messages of errors that mean a bug in the program. */
const OF_THE_RUNTIME =
  /Cannot (read|convert|set|destructure|mix|define|redefine)|is not (a function|iterable|defined|a constructor|an object)|undefined|\[object |Maximum call stack|Invalid array length|serialize a BigInt|circular structure/;

interface Line {
  json?: Record<string, unknown> | null;
  meta?: unknown;
}

function parsed(line: string): Line {
  try {
    return JSON.parse(line) ?? {};
  } catch {
    return {};
  }
}

const PROTOTYPES: readonly object[] = [
  Object,
  Array,
  Function,
  String,
  Number,
  Error,
  Map,
  Set,
  Date,
  RegExp,
  Promise,
  Uint8Array,
  ReadableStream,
  AbortSignal,
].flatMap((each) => [each, each.prototype]);

const CLEAN = PROTOTYPES.map((one) => Reflect.ownKeys(one).length);

/** Whether anything has been added to what all objects share. */
function pollution(): string | undefined {
  const index = PROTOTYPES.findIndex((one, index) =>
    Reflect.ownKeys(one).length !== CLEAN[index]
  );
  return index === -1 ? undefined : `prototype ${index} is polluted`;
}
