// A conversation: calls of one plugin, one right after another. The plugin is
// told that the next is near, so that it waits for that on the spot, which
// takes half as long as in another thread; and it is told when none comes.

/** How close calls follow upon each other in a conversation, in milliseconds. */
const MAX_GAP_MS = 2;

/** After how many such calls it is one. */
const MIN_CALLS = 8;

/** How long after its last call a conversation is over, in milliseconds: twice that at the most. */
const IDLE_MS = 5;

/** Whether there is a conversation with a plugin. */
export class CallBurst {
  readonly #over: () => void;
  /** When the last call was made. */
  #last = -Infinity;
  /** How many calls have come close upon each other. */
  #calls = 0;
  /** How often the plugin was told. */
  #said = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param over Tells the plugin that no call comes for now.
   */
  constructor(over: () => void) {
    this.#over = over;
  }

  /** Whether the last call was part of one. */
  get isActive(): boolean {
    return this.#calls >= MIN_CALLS;
  }

  /**
   * Takes that the plugin is called while no other call of it is in flight.
   *
   * @returns Whether it is told soon that another comes, or that none does.
   */
  recordCall(): boolean {
    const now = performance.now();
    this.#calls = now - this.#last < MAX_GAP_MS ? this.#calls + 1 : 0;
    this.#last = now;
    if (!this.isActive) return false;
    this.#said++;
    if (this.#timer === undefined) this.#watch();
    return true;
  }

  /** The plugin is not told any more. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #watch(): void {
    const before = this.#said;
    this.#timer = setTimeout(() => {
      if (this.#said > before) return this.#watch();
      this.#timer = undefined;
      this.#over();
    }, IDLE_MS);
    // It is no reason for a host to live on.
    Deno.unrefTimer(this.#timer as unknown as number);
  }
}
