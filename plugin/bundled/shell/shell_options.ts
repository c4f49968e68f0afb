// The options of the provisioner shell.

import type { Option } from "../../contract/options.ts";

/** The options of the provisioner shell. */
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
    description: "Do not convert the line endings of scripts.",
  },
  environment_vars: {
    type: "strings",
    description: "Environment variables for the script, each as `KEY=value`.",
  },
  env_var_format: {
    type: "string",
    description:
      "The format of a variable in `{{.Vars}}`; `%s='%s' ` by default.",
  },
  use_env_var_file: {
    type: "boolean",
    default: false,
    description:
      "Write the variables to a file on the machine, `{{.EnvVarFile}}`.",
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
    description: "The directory on the machine to upload scripts to.",
  },
  remote_file: {
    type: "string",
    description:
      "The name of the uploaded script; `script_UUID.sh` by default.",
  },
  remote_path: {
    type: "string",
    description:
      "The path of the uploaded script, in place of `remote_folder` and `remote_file`.",
  },
  skip_clean: {
    type: "boolean",
    default: false,
    description: "Do not remove the script from the machine.",
  },
  expect_disconnect: {
    type: "boolean",
    default: false,
    description: "The script may cut the connection, for example by a restart.",
  },
  start_retry_timeout: {
    type: "duration",
    default: 5 * 60_000,
    description: "How long to retry when a script cannot be started.",
  },
  valid_exit_codes: {
    type: "strings",
    description: "The exit codes that mean success; `[0]` by default.",
  },
  pause_after: {
    type: "duration",
    default: 0,
    description: "How long to wait after the last script.",
  },
} as const satisfies Readonly<Record<string, Option>>;
