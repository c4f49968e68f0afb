// The local copy of an AbortSignal of the peer. Listeners do not keep a signal from
// being garbage-collected, and its controller lives in the peer. So the copy
// reports its first and its last listener, and the import table holds it in between.

/** An event listener. */
type Listener = EventListenerOrEventListenerObject | null;

/**
 * Makes a signal and its controller.
 *
 * @param onListening Called with true when the first listener is added, and with
 * false when the last is removed or the signal is aborted.
 */
export function remoteSignal(
  onListening: (isListening: boolean) => void,
): AbortController {
  const controller = new AbortController();
  const signal = controller.signal;
  const listeners = new Map<Listener | "onabort", Set<boolean>>();
  const add = (listener: Listener | "onabort", isCapturing: boolean) => {
    if (listener === null || signal.aborted) return;
    if (listeners.size === 0) onListening(true);
    const phases = listeners.get(listener) ?? new Set();
    listeners.set(listener, phases.add(isCapturing));
  };
  const remove = (listener: Listener | "onabort", isCapturing: boolean) => {
    const phases = listeners.get(listener);
    if (phases === undefined || !phases.delete(isCapturing)) return;
    if (phases.size === 0) listeners.delete(listener);
    if (listeners.size === 0) onListening(false);
  };
  signal.addEventListener("abort", () => {
    if (listeners.size === 0) return;
    listeners.clear();
    onListening(false);
  });
  const { addEventListener, removeEventListener } = signal;
  // Deno's setter of `onabort` calls `addEventListener`, and the listener stays
  // when `onabort` is unset: `onabort` is counted by itself.
  let isSettingOnabort = false;
  define(signal, "addEventListener", {
    value(
      type: string,
      listener: Listener,
      options?: boolean | AddEventListenerOptions,
    ) {
      addEventListener.call(signal, type, listener!, options);
      if (type !== "abort" || isSettingOnabort) return;
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
      isSettingOnabort = true;
      onabort.set!.call(signal, listener);
      isSettingOnabort = false;
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
