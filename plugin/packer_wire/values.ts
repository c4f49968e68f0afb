// Values that came over the wire, in the types that are wanted. Go leaves out
// what is zero, so that every type has a value for what is missing.

/** The fields of a struct; none for what is no map. */
export function fields(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : {};
}

/** Whether a value is a map. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null &&
    !Array.isArray(value) && !(value instanceof Uint8Array) &&
    !(value instanceof Date);
}

/** A string; of bytes the string that they encode. */
export function string(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  return value === null || value === undefined ? "" : String(value);
}

/** A number; 0 for what is none. */
export function number(value: unknown): number {
  const converted = Number(value ?? 0);
  return Number.isFinite(converted) ? converted : 0;
}

/** A list of strings. */
export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(string) : [];
}

/** The number of a stream or an object; 0 stands for none. */
export function streamId(value: unknown): number {
  const id = number(value);
  return Number.isInteger(id) && id > 0 && id < 2 ** 32 ? id : 0;
}

/**
 * The error in a reply that has room for one.
 *
 * @param value nil, or `{Message}`.
 */
export function replyError(value: unknown): Error | undefined {
  if (!isMap(value)) return undefined;
  return new Error(string(value.Message) || "unknown error");
}
