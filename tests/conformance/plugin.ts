// The conformance suite as an author would write it in TypeScript; plugin.py serves the same one.
import { serve } from "../../mod.ts";

class Counter {
  static made: WeakRef<Counter>[] = [];
  #now: number;

  constructor(readonly start: number) {
    Counter.made.push(new WeakRef(this));
    this.#now = start;
  }

  increment(by: number): number {
    return this.#now += by;
  }

  read(): number {
    return this.#now;
  }

  toString(): string {
    return `a counter from ${this.start}`;
  }
}

class Sink {
  readonly stream: WritableStream<unknown>;
  #chunks: unknown[] = [];
  #closed = false;

  constructor() {
    this.stream = new WritableStream({
      write: (chunk) => void this.#chunks.push(chunk),
      close: () => void (this.#closed = true),
      abort: (reason) => void this.#chunks.push(reason),
    });
  }

  collected(): unknown[] {
    return this.#chunks;
  }

  closed(): boolean {
    return this.#closed;
  }
}

/** A sink that takes nothing until it is opened. */
class Gate {
  readonly stream: WritableStream<unknown>;
  #opened = Promise.withResolvers<void>();
  #taken = 0;

  constructor() {
    this.stream = new WritableStream({
      write: async () => {
        await this.#opened.promise;
        this.#taken++;
      },
    });
  }

  open(): void {
    this.#opened.resolve();
  }

  taken(): number {
    return this.#taken;
  }
}

class Suite {
  #kept: unknown;
  #held = new Map<string, (value: unknown) => void>();
  #reader?: ReadableStreamDefaultReader<unknown>;
  #sourceRead = 0;

  echo(value: unknown): unknown {
    return value;
  }

  add(a: number, b: number): number {
    return a + b;
  }

  fail(message: string): never {
    const cause = new Error("the cause");
    throw Object.assign(new RangeError(message, { cause }), {
      code: "E_CONFORMANCE",
    });
  }

  throwValue(value: unknown): never {
    throw value;
  }

  async callBack(
    callback: (...args: unknown[]) => unknown,
    ...args: unknown[]
  ): Promise<unknown> {
    return await callback(...args);
  }

  makeCounter(start: number): Counter {
    return new Counter(start);
  }

  async increment(
    counter: { increment(by: number): Promise<number> },
    by: number,
  ): Promise<number> {
    return await counter.increment(by);
  }

  startOf(counter: { start: number }): number {
    return counter.start;
  }

  makeFunction(prefix: string): (text: string) => string {
    return function prefixed(text) {
      return prefix + text;
    };
  }

  isSame(a: unknown, b: unknown): boolean {
    return Object.is(a, b);
  }

  keep(value: unknown): void {
    this.#kept = value;
  }

  kept(): unknown {
    return this.#kept;
  }

  drop(): void {
    this.#kept = undefined;
  }

  /** Collects garbage, where the process was started so that it can. */
  /** In a separate turn of the event loop: a turn keeps its references alive until it ends. */
  async collect(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    (globalThis as { gc?: () => void }).gc?.();
  }

  /** How many of the counters made here with this start have not been collected. */
  countersAlive(start: number): number {
    return Counter.made.filter((made) => made.deref()?.start === start).length;
  }

  async waitAbort(signal: AbortSignal): Promise<unknown> {
    if (!signal.aborted) {
      await new Promise((resolve) =>
        signal.addEventListener("abort", resolve, { once: true })
      );
    }
    return signal.reason instanceof Error
      ? signal.reason.message
      : signal.reason;
  }

  async readAll(stream: ReadableStream<unknown>): Promise<unknown> {
    const chunks = await Array.fromAsync(stream);
    const isBytes = chunks.length > 0 &&
      chunks.every((chunk) => chunk instanceof Uint8Array);
    return isBytes
      ? new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer())
      : chunks;
  }

  open(stream: ReadableStream<unknown>): void {
    this.#reader = stream.getReader();
  }

  async readNext(): Promise<{ done: boolean; value?: unknown }> {
    return await this.#reader!.read();
  }

  async cancelReading(reason: unknown): Promise<void> {
    await this.#reader!.cancel(reason);
  }

  makeReadable(count: number, size: number): ReadableStream<Uint8Array> {
    this.#sourceRead = 0;
    return new ReadableStream({
      pull: (controller) => {
        const i = this.#sourceRead++;
        if (i < count) controller.enqueue(new Uint8Array(size).fill(i % 256));
        else controller.close();
      },
    });
  }

  sourceRead(): number {
    return this.#sourceRead;
  }

  makeValues(values: unknown[]): ReadableStream<unknown> {
    return ReadableStream.from(values);
  }

  makeFailing(message: string): ReadableStream<string> {
    return ReadableStream.from((async function* () {
      yield await Promise.resolve("before");
      throw new RangeError(message);
    })());
  }

  makeCancelled(): ReadableStream<number> {
    return new ReadableStream({
      pull: (controller) => controller.enqueue(1),
      cancel: (reason) => void (this.#kept = reason),
    });
  }

  makeSink(): Sink {
    return new Sink();
  }

  makeGate(): Gate {
    return new Gate();
  }

  async pipe(
    readable: ReadableStream<unknown>,
    writable: WritableStream<unknown>,
  ): Promise<void> {
    await readable.pipeTo(writable);
  }

  sayAll(ui: { say(line: string): Promise<void> }, lines: string[]): number {
    for (const line of lines) ui.say(line);
    return lines.length;
  }

  async hold(key: string): Promise<unknown> {
    return await new Promise((resolve) => this.#held.set(key, resolve));
  }

  letGo(key: string, value: unknown): void {
    this.#held.get(key)!(value);
  }

  makeBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, i) => i % 251);
  }

  sum(bytes: Uint8Array): number {
    return bytes.reduce((sum, byte) => sum + byte, 0);
  }

  log(line: string): void {
    console.error(line);
  }

  exit(code: number): void {
    Deno.exit(code);
  }

  static notExported(): string {
    return "nobody may call this";
  }
}

serve({ conformance: { suite: Suite } });
