// The option valid_exit_codes of the shell provisioners.

import type { ConfigProblem } from "../../contract/config_error.ts";

/**
 * What is wrong with a list of exit codes.
 *
 * @param codes As in the configuration.
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
 * Accepts the exit status of a script, or does not.
 *
 * @param status How the script ended.
 * @param codes The only ones that are accepted; 0 where there are none.
 * @throws {Error} When it is none of them.
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
