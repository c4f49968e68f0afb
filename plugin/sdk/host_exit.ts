// What a component may still call after the host has been killed. It is told by
// its signal and cleans up; nothing that its cleanup reports may stop it.

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
 * Changes the ui and the hook among a component's options so that calls which
 * the host's death leaves unanswered resolve with undefined: all of the ui
 * except `ask`, and the hook except where it runs the provisioners, which a
 * builder must not take for done.
 *
 * @param options The argument of the method that does a component's work.
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
 * Replaces a method of an object that came from the host. The object stays the
 * one that the host knows, should it be sent back there.
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
