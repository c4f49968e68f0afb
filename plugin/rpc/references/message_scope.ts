// The scope of one message: which references it contains, so that each is
// counted once per message, and so that a message that cannot be sent takes its
// references back.

const NO_REFERENCES: readonly number[] = [];

/** What one message that is being written or read has to do with references. */
export class MessageScope {
  // Created when needed: most messages contain no reference.
  #signals: number[] | undefined;
  #references: Set<number> | undefined;
  #described: Set<number> | undefined;

  /** The references of the signals that the message brought. */
  get signals(): readonly number[] {
    return this.#signals ?? NO_REFERENCES;
  }

  /** Whether the message contains a reference. */
  get hasReferences(): boolean {
    return this.#references !== undefined;
  }

  /** The references that the message contains. */
  get references(): Iterable<number> {
    return this.#references ?? NO_REFERENCES;
  }

  /** Adds the reference of a signal that the message brought. */
  addSignal(ref: number): void {
    (this.#signals ??= []).push(ref);
  }

  /**
   * Adds a reference.
   *
   * @returns Whether it is the first occurrence in the message.
   */
  add(ref: number): boolean {
    return isNew(this.#references ??= new Set(), ref);
  }

  /**
   * Notes that the message describes an object.
   *
   * @returns Whether it is the first description in the message.
   */
  describe(ref: number): boolean {
    return isNew(this.#described ??= new Set(), ref);
  }
}

function isNew(set: Set<number>, ref: number): boolean {
  return set.size < set.add(ref).size;
}
