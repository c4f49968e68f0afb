// The machine-readable output, in Packer's format: one line an event,
// `timestamp,target,type,data...`.

/**
 * Writes one event.
 *
 * Commas and line ends in it are escaped.
 *
 * @param target What it is about: a build's name, or nothing.
 * @param type What kind of event it is.
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
