// The calls of a component after the host has been killed. The component's signal is
// aborted and it cleans up; a failing report to the ui must not stop the cleanup.

import { isObject } from "../common/is_object.ts";
import { HOOK_PROVISION, type HookOptions } from "../contract/hook.ts";
import type { Ui } from "../contract/ui.ts";
import { ConnectionClosedError } from "../rpc/protocol.ts";

/** The methods of a ui that report something, and return nothing. */
const REPORTING = [
  "say",
  "message",
  "error",
  "machine",
  "progress",
] as const satisfies readonly (keyof Ui)[];

type Method = (...args: unknown[]) => unknown;

const tolerant = new WeakSet<object>();

/**
 * Changes the ui and the hook among a component's options, so that calls that stay
 * unanswered after the host's death resolve with undefined: all methods of the ui
 * except `ask`, and the hook except for the provisioners, which a builder must not
 * consider done.
 *
 * @param options The argument of the method that runs a component.
 */
export function tolerateHostExit(options: unknown): void {
  const { ui, hook } = (options ?? {}) as Record<string, unknown>;
  for (const method of REPORTING) tolerate(ui, method, () => true);
  tolerate(
    hook,
    "run",
    (options) => (options as HookOptions | undefined)?.name !== HOOK_PROVISION,
  );
  for (const object of [ui, hook]) if (isObject(object)) tolerant.add(object);
}

/**
 * Replaces a method of an object that came from the host. The identity of the object
 * is kept, so that it can be sent back to the host.
 */
function tolerate(
  object: unknown,
  name: string,
  mayBeDropped: (argument: unknown) => boolean,
): void {
  if (!isObject(object) || tolerant.has(object)) return;
  const method = object[name];
  if (typeof method !== "function") return;
  Object.defineProperty(object, name, {
    value: async (...args: unknown[]) => {
      try {
        return await (method as Method).apply(object, args);
      } catch (error) {
        if (
          !(error instanceof ConnectionClosedError) || !mayBeDropped(args[0])
        ) throw error;
      }
    },
    writable: true,
    configurable: true,
    enumerable: Object.prototype.propertyIsEnumerable.call(object, name),
  });
}
