// Compares the Packer version that a template requires, as Packer does.

import { PACKER_VERSION } from "../config/environment.ts";

// The version format of HashiCorp: numbers, then optionally a prerelease and metadata.
const VERSION =
  /^v?(\d+(?:\.\d+)*)(?:-\d+[0-9A-Za-z~-]*(?:\.[0-9A-Za-z~-]+)*|-?[A-Za-z~-]+[0-9A-Za-z~-]*(?:\.[0-9A-Za-z~-]+)*)?(?:\+[0-9A-Za-z~-]+(?:\.[0-9A-Za-z~-]+)*)?$/;

/**
 * Returns why a template that requires a Packer version cannot be built, or
 * undefined when it can.
 *
 * @param asked The template's `min_packer_version`; "" requires none.
 */
export function versionProblem(asked: string): string | undefined {
  if (asked === "") return undefined;
  const numbers = VERSION.exec(asked)?.[1]?.split(".").map(Number);
  if (numbers === undefined) {
    return `min_version is invalid: Malformed version: ${asked}; write it like "${PACKER_VERSION}"`;
  }
  const own = PACKER_VERSION.split(".").map(Number);
  const whole = /^v?[\d.]+$/.test(asked)
    ? [...numbers, 0, 0].slice(0, Math.max(3, numbers.length)).join(".")
    : asked;
  // A prerelease comes before its release, so only the numbers can be too high.
  for (let at = 0; at < Math.max(own.length, numbers.length); at++) {
    const difference = (numbers[at] ?? 0) - (own[at] ?? 0);
    if (difference < 0) return undefined;
    if (difference > 0) {
      return `This template requires Packer version ${whole} or higher; using ${PACKER_VERSION}, the version whose templates baler reads`;
    }
  }
  return undefined;
}
