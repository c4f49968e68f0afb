// What a process is doing: which of its components have been called and have
// not answered yet, for the error that tells of its death.

/** The calls under way in a process that serves several components. */
export class InFlightCalls {
  // Two calls may have the same name, and end at different times.
  readonly #calls = new Set<{ readonly name: string }>();

  /**
   * A component whose calls are noted as long as they are under way.
   *
   * @param component The component.
   * @param name What it is called.
   */
  track<T extends object>(component: T, name: string): T {
    return new Proxy(component, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key);
        if (typeof member !== "function" || typeof key === "symbol") {
          return member;
        }
        return async (...args: unknown[]) => {
          const call = { name: `${key}() of ${name}` };
          this.#calls.add(call);
          try {
            return await member.apply(target, args);
          } finally {
            this.#calls.delete(call);
          }
        };
      },
    });
  }

  /** What is under way, the first call first; undefined when nothing is. */
  get describe(): string | undefined {
    const names = new Set([...this.#calls].map(({ name }) => name));
    return names.size === 0 ? undefined : [...names].join(", ");
  }
}
