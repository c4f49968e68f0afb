// The signal that stands here for one of theirs. Listeners do not keep a signal
// alive, only its controller does, which lives on the other side: so it tells
// whether anybody listens.

/** What is heard by: an event listener, or `onabort`. */
type Listener = EventListenerOrEventListenerObject | null;

/**
 * Makes a signal, and what aborts it.
 *
 * @param onHeard Is told when the first listener comes, and when the last goes
 * or the signal is aborted.
 */
export function remoteSignal(
  onHeard: (isHeard: boolean) => void,
): AbortController {
  const controller = new AbortController();
  const signal = controller.signal;
  const listeners = new Map<Listener | "onabort", Set<boolean>>();
  const add = (listener: Listener | "onabort", isCapturing: boolean) => {
    if (listener === null || signal.aborted) return;
    if (listeners.size === 0) onHeard(true);
    const ways = listeners.get(listener) ?? new Set();
    listeners.set(listener, ways.add(isCapturing));
  };
  const remove = (listener: Listener | "onabort", isCapturing: boolean) => {
    const ways = listeners.get(listener);
    if (ways === undefined || !ways.delete(isCapturing)) return;
    if (ways.size === 0) listeners.delete(listener);
    if (listeners.size === 0) onHeard(false);
  };
  signal.addEventListener("abort", () => {
    if (listeners.size === 0) return;
    listeners.clear();
    onHeard(false);
  });
  const { addEventListener, removeEventListener } = signal;
  // Setting `onabort` may add a listener, which stays when it is unset.
  let isBeingSet = false;
  define(signal, "addEventListener", {
    value(
      type: string,
      listener: Listener,
      options?: boolean | AddEventListenerOptions,
    ) {
      addEventListener.call(signal, type, listener!, options);
      if (type !== "abort" || isBeingSet) return;
      const isCapturing = captures(options);
      const until = typeof options === "object" ? options?.signal : undefined;
      if (until?.aborted) return;
      add(listener, isCapturing);
      until?.addEventListener("abort", () => remove(listener, isCapturing));
    },
  });
  define(signal, "removeEventListener", {
    value(
      type: string,
      listener: Listener,
      options?: boolean | EventListenerOptions,
    ) {
      removeEventListener.call(signal, type, listener!, options);
      if (type === "abort") remove(listener, captures(options));
    },
  });
  const onabort = Object.getOwnPropertyDescriptor(
    AbortSignal.prototype,
    "onabort",
  )!;
  define(signal, "onabort", {
    get: () => onabort.get!.call(signal),
    set(listener: unknown) {
      isBeingSet = true;
      onabort.set!.call(signal, listener);
      isBeingSet = false;
      if (typeof listener === "function") add("onabort", false);
      else remove("onabort", false);
    },
  });
  return controller;
}

function define(
  signal: AbortSignal,
  name: string,
  property: PropertyDescriptor,
): void {
  Object.defineProperty(signal, name, { ...property, configurable: true });
}

function captures(
  options: boolean | EventListenerOptions | undefined,
): boolean {
  return typeof options === "object"
    ? options?.capture === true
    : options === true;
}
