// The scope of one message: which references it contains, so that each is
// counted once per message, and so that a message that cannot be sent takes its
// references back.

/** What one message that is being written or read has to do with references. */
export class MessageScope {
  /** The references of signals that the message brought. */
  readonly signals: number[] = [];
  // Most messages contain no reference, or one.
  #references: Set<number> | undefined;
  #described: Set<number> | undefined;

  /** Whether the message contains a reference. */
  get hasReferences(): boolean {
    return this.#references !== undefined;
  }

  /** The references that the message contains. */
  get references(): Iterable<number> {
    return this.#references ?? [];
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
