// Tracks the calls in flight in a process that serves several components, for the
// error when the process dies.

/** The calls in flight in a process. */
export class InFlightCalls {
  // Two calls can have the same name and finish at different times.
  readonly #calls = new Set<{ readonly name: string }>();

  /**
   * Wraps a component, so that its calls are tracked.
   *
   * @param component The component.
   * @param name The component's name.
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

  /** The calls in flight, the oldest first; undefined when there are none. */
  get describe(): string | undefined {
    const names = new Set([...this.#calls].map(({ name }) => name));
    return names.size === 0 ? undefined : [...names].join(", ");
  }
}
