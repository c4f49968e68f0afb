// The option valid_exit_codes of the shell provisioners.

import type { ConfigProblem } from "../../contract/config_error.ts";

/**
 * Checks a list of exit codes.
 *
 * @param codes The list in the configuration.
 * @returns One problem for each that is not a number.
 */
export function exitCodesProblems(
  codes: readonly string[] = [],
): ConfigProblem[] {
  return codes.flatMap((code, index) =>
    /^\d+$/.test(code) ? [] : [{
      path: ["valid_exit_codes", index],
      message: `"valid_exit_codes" must be whole numbers, not ${
        JSON.stringify(code)
      }`,
    }]
  );
}

/**
 * Checks the exit status of a script.
 *
 * @param status The exit status.
 * @param codes The valid ones; 0 by default.
 * @throws {Error} When the status is not valid.
 */
export function checkExitStatus(
  status: number,
  codes: readonly string[] = [],
): void {
  const valid = codes.length === 0 ? [0] : codes.map(Number);
  if (valid.includes(status)) return;
  throw new Error(
    `Script exited with non-zero exit status: ${status}. ` +
      `Allowed exit codes are: [${valid.join(" ")}]`,
  );
}
