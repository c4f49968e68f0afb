// Sizes as templates write them, such as 10G.

const UNITS = "KMGTPE";

/**
 * Reads a size.
 *
 * @param size Such as `512M` or `10G`, in powers of 1024.
 * @returns The bytes.
 * @throws {Error} When it is no size.
 */
export function parseByteSize(size: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([KMGTPE])(?:i?B)?$/i
    .exec(size.trim()) ?? [];
  if (number === undefined || unit === undefined || Number(number) === 0) {
    throw new Error(`"${size}" is not a size; write it as 512M or 10G`);
  }
  return Math.ceil(
    Number(number) * 1024 ** (UNITS.indexOf(unit.toUpperCase()) + 1),
  );
}
