// Booleans as Go's strconv.ParseBool reads them, which Packer uses.

const TRUE = /^(1|t|T|TRUE|true|True)$/;
const FALSE = /^(0|f|F|FALSE|false|False)$/;

/**
 * Parses a boolean.
 *
 * @param text The text.
 * @returns The boolean; undefined where the text is not one.
 */
export function parseGoBool(text: string): boolean | undefined {
  return TRUE.test(text) ? true : FALSE.test(text) ? false : undefined;
}
