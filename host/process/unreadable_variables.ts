// The environment variables that Deno cannot read, since they are not UTF-8. It
// passes none of them on to a plugin. Linux only.

import { libc } from "./libc.ts";

const POINTER_BYTES = 8;

/**
 * Returns the names of the variables of this process that are not UTF-8.
 *
 * @returns The names, with U+FFFD in place of what is not UTF-8; none where
 * foreign functions may not be called.
 */
export function unreadableVariables(): string[] {
  const variable = libc()?.environ ?? null;
  const list = variable === null
    ? null
    : new Deno.UnsafePointerView(variable).getPointer();
  if (list === null) return [];
  const view = new Deno.UnsafePointerView(list);
  const names: string[] = [];
  const strict = new TextDecoder("utf-8", { fatal: true });
  for (let offset = 0;; offset += POINTER_BYTES) {
    const entry = view.getPointer(offset);
    if (entry === null) return names;
    const bytes = bytesOf(entry);
    try {
      strict.decode(bytes);
    } catch {
      const [name = ""] = new TextDecoder().decode(bytes).split("=", 1);
      names.push(name);
    }
  }
}

/** The bytes of a string that ends with NUL. */
function bytesOf(pointer: Deno.PointerObject): Uint8Array {
  const view = new Deno.UnsafePointerView(pointer);
  let length = 0;
  while (view.getUint8(length) !== 0) length++;
  const bytes = new Uint8Array(length);
  view.copyInto(bytes);
  return bytes;
}
