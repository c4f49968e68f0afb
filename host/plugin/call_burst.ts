// A conversation: calls of one plugin, one right after another. The plugin is
// told that the next is near, so that it waits for that on the spot, which
// takes half as long as in another thread; and it is told when none comes.

/** How close calls follow upon each other in a conversation, in milliseconds. */
const CLOSE = 2;

/** After how many such calls it is one. */
const ENOUGH = 8;

/** How long after its last call a conversation is over, in milliseconds: twice that at the most. */
const SILENCE = 5;

/** Whether there is a conversation with a plugin. */
export class Conversation {
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
  get isOn(): boolean {
    return this.#calls >= ENOUGH;
  }

  /**
   * Takes that the plugin is called while no other call of it is under way.
   *
   * @returns Whether it is told soon that another comes, or that none does.
   */
  call(): boolean {
    const now = performance.now();
    this.#calls = now - this.#last < CLOSE ? this.#calls + 1 : 0;
    this.#last = now;
    if (!this.isOn) return false;
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
    }, SILENCE);
    // It is no reason for a host to live on.
    Deno.unrefTimer(this.#timer as unknown as number);
  }
}
