// The machine-readable output, in Packer's format: one line per event,
// `timestamp,target,type,data...`.

/**
 * Formats one event.
 *
 * Commas and line ends in its fields are escaped.
 *
 * @param target The name of the build that it is about; "" for none.
 * @param type The type of the event.
 * @param data Its data.
 * @param now The time.
 */
export function machineReadableLine(
  target: string,
  type: string,
  data: readonly string[],
  now: Date = new Date(),
): string {
  const seconds = Math.floor(now.valueOf() / 1000);
  return [String(seconds), ...[target, type, ...data].map(escaped)].join(",");
}

function escaped(text: string): string {
  return text
    .replaceAll(",", "%!(PACKER_COMMA)")
    .replaceAll("\r", "\\r")
    .replaceAll("\n", "\\n");
}
