// The ui on Packer's wire: `Ui.Say` and its kin, and progress.

import type { Progress, Ui } from "../contract/ui.ts";
import type { RpcClient, RpcMethods } from "./net_rpc.ts";
import { fields, number, string, strings } from "./values.ts";

/** The most progress bars of the other side at a time; more are not shown. */
const MAX_PROGRESS_BARS = 1000;

/** How often the progress of one bar is reported, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;

/**
 * Serves a ui.
 *
 * @param ui The ui.
 * @param methods Gets the methods, now and whenever the other side starts a progress bar.
 */
export function serveUi(ui: Ui, methods: RpcMethods): void {
  for (
    const [name, method] of [
      ["Say", (line: string) => ui.say(line)],
      ["Message", (line: string) => ui.message(line)],
      ["Error", (line: string) => ui.error(line)],
    ] as const
  ) {
    methods.set(`Ui.${name}`, async (line) => void await method(string(line)));
  }
  methods.set("Ui.Ask", (query) => ui.ask(string(query)));
  methods.set("Ui.Machine", async (argument) => {
    const { Category, Args } = fields(argument);
    await ui.machine(string(Category), ...strings(Args));
  });
  serveProgress(ui, methods);
}

function serveProgress(ui: Ui, methods: RpcMethods): void {
  let count = 0;
  let open = 0;
  methods.set("Ui.NewTrackProgress", (argument) => {
    const { Src, TotalSize, CurrentSize } = fields(argument);
    const label = string(Src);
    const total = number(TotalSize);
    const id = `${label}-${++count}`;
    if (open >= MAX_PROGRESS_BARS) return id;
    open++;
    let current = number(CurrentSize);
    let lastMs = -Infinity;
    const report = (done: boolean) =>
      ui.progress({
        label,
        current,
        ...(total > 0 ? { total } : {}),
        ...(done ? { done } : {}),
      });
    methods.set(`Ui${id}.Add`, async (more) => {
      current += number(more);
      // A call comes for each 32 KiB.
      if (performance.now() - lastMs < PROGRESS_INTERVAL_MS) return;
      lastMs = performance.now();
      await report(false);
    });
    methods.set(`Ui${id}.Close`, async () => {
      methods.delete(`Ui${id}.Add`);
      methods.delete(`Ui${id}.Close`);
      open--;
      await report(true);
    });
    return id;
  });
}

/** How far a progress bar was reported, and how far it is. */
interface Bar {
  id?: unknown;
  reported: number;
  latest: Progress;
  /** The report that waits for its turn. */
  queued?: Promise<void>;
}

/**
 * A ui that the other side serves. Each call waits for the answer of the one
 * before it, since Go answers calls in any order, so that lines stay in order.
 */
export class RemoteUi implements Ui {
  readonly #client: RpcClient;
  readonly #bars = new Map<string, Bar>();
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param client Calls what the other side serves.
   */
  constructor(client: RpcClient) {
    this.#client = client;
  }

  /** Announces a step of the build. */
  say(line: string): Promise<void> {
    return this.#call("Ui.Say", String(line));
  }

  /** Shows a detail of the current step. */
  message(line: string): Promise<void> {
    return this.#call("Ui.Message", String(line));
  }

  /** Shows what went wrong. */
  error(line: string): Promise<void> {
    return this.#call("Ui.Error", String(line));
  }

  /** Says something to a program that reads the machine-readable output. */
  machine(category: string, ...data: string[]): Promise<void> {
    return this.#call("Ui.Machine", {
      Category: String(category),
      Args: data.map(String),
    });
  }

  /** Asks a question and waits for a line of input. */
  ask(query: string): Promise<string> {
    return this.#enqueue(async () =>
      string(await this.#client.call("Ui.Ask", String(query)))
    );
  }

  /** Reports how far a piece of long work has come. Packer shows bytes alone. */
  progress(progress: Progress): Promise<void> {
    const { label, unit = "bytes", current, done } = progress;
    if (unit !== "bytes") return Promise.resolve();
    let bar = this.#bars.get(label);
    if (bar === undefined) {
      // A label's only report shows nothing.
      if (done) return Promise.resolve();
      bar = { reported: current, latest: progress };
      this.#bars.set(label, bar);
    }
    bar.latest = progress;
    if (done) this.#bars.delete(label);
    // A report that waits for its turn takes the newest state with it.
    return bar.queued ??= this.#enqueue(() => this.#report(bar));
  }

  async #report(bar: Bar): Promise<void> {
    bar.queued = undefined;
    const { label, total = 0, current, done } = bar.latest;
    bar.id ??= await this.#client.call("Ui.NewTrackProgress", {
      Src: label,
      TotalSize: Math.round(total),
      CurrentSize: Math.round(bar.reported),
    });
    const more = Math.round(current - bar.reported);
    bar.reported += more;
    if (more !== 0) await this.#client.call(`Ui${bar.id}.Add`, more);
    if (done) await this.#client.call(`Ui${bar.id}.Close`);
  }

  /**
   * Waits until all calls so far are answered, and ends progress bars that are
   * left. A component's call is answered after this, so that no line comes late.
   */
  async flush(): Promise<void> {
    for (const { latest } of [...this.#bars.values()]) {
      this.progress({ ...latest, done: true });
    }
    await this.#last;
  }

  #call(method: string, argument: unknown): Promise<void> {
    return this.#enqueue(async () =>
      void await this.#client.call(method, argument)
    );
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    // Callers need not wait: a lost connection is no unhandled error then.
    this.#last = result.catch(() => {});
    return result;
  }
}
