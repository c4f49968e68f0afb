// The options that the provisioners powershell and windows-shell have in common.

import type { Option } from "../../contract/options.ts";

/** The options that both of them have. */
export const windowsScriptOptions = {
  inline: { type: "strings", description: "The lines of a script to run." },
  script: {
    type: "string",
    description: "The path, on this machine, of a script to run.",
  },
  scripts: {
    type: "strings",
    description:
      "The paths, on this machine, of scripts to run, in this order.",
  },
  binary: {
    type: "boolean",
    default: false,
    description: "Has no effect: line endings are never changed.",
  },
  environment_vars: {
    type: "strings",
    description: "Variables for the script, each as `KEY=value`.",
  },
  start_retry_timeout: {
    type: "duration",
    default: 5 * 60_000,
    description: "How long to try again when a script cannot be started.",
  },
  valid_exit_codes: {
    type: "strings",
    description: "The exit codes that mean success; `[0]` by default.",
  },
} as const satisfies Readonly<Record<string, Option>>;
