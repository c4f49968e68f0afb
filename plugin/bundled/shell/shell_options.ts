// The configuration that the provisioner shell takes.

import type { Option } from "../../contract/options.ts";

/** What a template may say to the provisioner shell. */
export const shellOptions = {
  inline: { type: "strings", description: "The lines of a script to run." },
  inline_shebang: {
    type: "string",
    default: "/bin/sh -e",
    description: "The program that runs `inline`.",
  },
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
    description: "Leave the line ends of a script as they are.",
  },
  environment_vars: {
    type: "strings",
    description: "Variables for the script, each as `KEY=value`.",
  },
  env_var_format: {
    type: "string",
    description:
      "How a variable is written into `{{.Vars}}`; `%s='%s' ` by default.",
  },
  use_env_var_file: {
    type: "boolean",
    default: false,
    description:
      "Write the variables to a file on the machine, `{{.EnvVarFile}}`, instead.",
  },
  execute_command: {
    type: "string",
    interpolate: false,
    description:
      "The command that runs a script; `chmod +x {{.Path}}; {{.Vars}} {{.Path}}` by default.",
  },
  remote_folder: {
    type: "string",
    default: "/tmp",
    description: "The folder on the machine that scripts are uploaded to.",
  },
  remote_file: {
    type: "string",
    description: "The file there; `script_NNNN.sh` by default.",
  },
  remote_path: {
    type: "string",
    description: "Both in one, in place of them.",
  },
  skip_clean: {
    type: "boolean",
    default: false,
    description: "Leave the script on the machine.",
  },
  expect_disconnect: {
    type: "boolean",
    default: false,
    description:
      "The connection may be lost, as the script restarts the machine.",
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
  pause_after: {
    type: "duration",
    default: 0,
    description: "How long to wait when all is done.",
  },
} as const satisfies Readonly<Record<string, Option>>;
