// The component that each tested plugin serves, as the host sees it.

import type { Plugin } from "../../host/plugin/plugin.ts";

/** A counter that lives in the plugin. */
export interface Counter extends Disposable {
  start: number;
  increment(by: number): Promise<number>;
  read(): Promise<number>;
}

/** A stream of the plugin's, and what was written to it. */
export interface Sink {
  stream: WritableStream<unknown>;
  collected(): Promise<unknown[]>;
  closed(): Promise<boolean>;
}

/** A stream of the plugin's that takes nothing until it is opened. */
export interface Gate {
  stream: WritableStream<unknown>;
  open(): Promise<void>;
  taken(): Promise<number>;
}

/** One method, or a few, for each promise of the protocol. */
export interface Suite {
  echo<T>(value: T): Promise<T>;
  add(a: number, b: number): Promise<number>;
  fail(message: string): Promise<never>;
  throwValue(value: unknown): Promise<never>;
  callBack(callback: unknown, ...args: unknown[]): Promise<unknown>;
  makeCounter(start: number): Promise<Counter>;
  increment(counter: unknown, by: number): Promise<number>;
  startOf(counter: unknown): Promise<number>;
  makeFunction(prefix: string): Promise<(text: string) => Promise<string>>;
  isSame(a: unknown, b: unknown): Promise<boolean>;
  keep(value: unknown): Promise<void>;
  kept(): Promise<unknown>;
  drop(): Promise<void>;
  collect(): Promise<void>;
  countersAlive(start: number): Promise<number>;
  waitAbort(signal: AbortSignal): Promise<unknown>;
  readAll(stream: ReadableStream): Promise<unknown>;
  open(stream: ReadableStream): Promise<void>;
  readNext(): Promise<{ done: boolean; value?: unknown }>;
  cancelReading(reason: unknown): Promise<void>;
  makeReadable(
    count: number,
    size: number,
  ): Promise<ReadableStream<Uint8Array>>;
  sourceRead(): Promise<number>;
  makeValues(values: unknown[]): Promise<ReadableStream<unknown>>;
  makeFailing(message: string): Promise<ReadableStream<unknown>>;
  makeCancelled(): Promise<ReadableStream<unknown>>;
  makeSink(): Promise<Sink>;
  makeGate(): Promise<Gate>;
  pipe(readable: ReadableStream, writable: WritableStream): Promise<void>;
  sayAll(ui: unknown, lines: string[]): Promise<number>;
  hold(key: string): Promise<unknown>;
  letGo(key: string, value: unknown): Promise<void>;
  makeBytes(length: number): Promise<Uint8Array>;
  sum(bytes: Uint8Array): Promise<number>;
  log(line: string): Promise<void>;
  exit(code: number): Promise<void>;
}

/** The setting of each case: a suite of its own, in a shared process. */
export interface Setting {
  suite: Suite;
  plugin: Plugin;
}

/** Tests by the end of a sentence that begins "a plugin in Python …". */
export type Promises = Record<
  string,
  (setting: Setting) => Promise<void> | void
>;

/**
 * Waits until something holds, asking the plugin again and again: what was on
 * its way before an answer has then come. Fails when it never does.
 */
export async function until(
  { suite }: Setting,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await holds()) return;
    await suite.collect();
  }
  throw new Error(`it never came true that ${holds}`);
}

/** Lets pending work continue: makes a number of calls. */
export async function roundTrips(suite: Suite, count = 50): Promise<void> {
  for (let i = 0; i < count; i++) await suite.add(i, 1);
}
