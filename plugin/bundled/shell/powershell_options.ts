// The configuration that the provisioner powershell takes, its defaults and its checks.

import type { ConfigProblem } from "../../contract/config_error.ts";
import type { ConfigOf, Option } from "../../contract/options.ts";
import { windowsScriptOptions } from "./windows_script_options.ts";

const ENV_VAR_FORMAT = '$env:%s="%s"; ';

/** Packer also takes their indexes in this list. */
const EXECUTION_POLICIES = [
  "bypass",
  "allsigned",
  "default",
  "remotesigned",
  "restricted",
  "undefined",
  "unrestricted",
  "none",
] as const;

/** The options of the provisioner powershell. */
export const powershellOptions = {
  ...windowsScriptOptions,
  env_var_format: {
    type: "string",
    default: ENV_VAR_FORMAT,
    description: "How a variable is written into the file of variables.",
  },
  execute_command: {
    type: "string",
    interpolate: false,
    description:
      "The command that runs the script `{{.Path}}` with the variables that the script `{{.Vars}}` sets.",
  },
  elevated_execute_command: {
    type: "string",
    interpolate: false,
    description: "The same, where `elevated_user` is given.",
  },
  elevated_env_var_format: {
    type: "string",
    default: ENV_VAR_FORMAT,
    description:
      "How a variable is written into that file, where `elevated_user` is given.",
  },
  elevated_user: {
    type: "string",
    description:
      "The user as whom a scheduled task runs the scripts, with full rights.",
  },
  elevated_password: {
    type: "string",
    description: "The password of `elevated_user`.",
  },
  execution_policy: {
    type: "string",
    default: "bypass",
    description:
      "The execution policy of the scripts; `none` runs them without a PowerShell of their own.",
  },
  remote_path: {
    type: "string",
    description:
      "The file on the machine that a script is uploaded to; `c:/Windows/Temp/script-UUID.ps1` by default.",
  },
  remote_env_var_path: {
    type: "string",
    description:
      "The file of variables there; `c:/Windows/Temp/packer-ps-env-vars-UUID.ps1` by default.",
  },
  skip_clean: {
    type: "boolean",
    default: false,
    description: "Leave the files on the machine.",
  },
  debug_mode: {
    type: "number",
    default: 0,
    description:
      "Trace the scripts: 1 shows each line, 2 assignments and calls, too.",
  },
} as const satisfies Readonly<Record<string, Option>>;

/** The configuration of powershell as it is decoded. */
export type PowershellConfig = ConfigOf<typeof powershellOptions>;

/**
 * Fills in the defaults that depend on other options. An empty string means the default, as in Packer.
 *
 * @param config The configuration as it was decoded.
 */
export function withDefaults(config: PowershellConfig) {
  const command = defaultCommand(config);
  return {
    ...config,
    execute_command: config.execute_command || command,
    elevated_execute_command: config.elevated_execute_command || command,
    env_var_format: config.env_var_format || ENV_VAR_FORMAT,
    elevated_env_var_format: config.elevated_env_var_format || ENV_VAR_FORMAT,
    remote_path: config.remote_path ||
      `c:/Windows/Temp/script-${crypto.randomUUID()}.ps1`,
    remote_env_var_path: config.remote_env_var_path ||
      `c:/Windows/Temp/packer-ps-env-vars-${crypto.randomUUID()}.ps1`,
  };
}

function defaultCommand(
  { execution_policy, debug_mode }: PowershellConfig,
): string {
  const trace = debug_mode === 0 ? "" : `Set-PsDebug -Trace ${debug_mode};`;
  const block = "& { if (Test-Path variable:global:ProgressPreference)" +
    "{set-variable -name variable:global:ProgressPreference -value 'SilentlyContinue'};" +
    `${trace}. {{.Vars}}; &'{{.Path}}'; exit $LastExitCode }`;
  const policy = policyName(execution_policy);
  return policy === "none"
    ? block
    : `powershell -executionpolicy ${policy} "${block}"`;
}

function policyName(value: string): string {
  return EXECUTION_POLICIES[Number(value || NaN)] ?? value;
}

/**
 * What is wrong with the options that powershell alone has.
 *
 * @param config The configuration as it was decoded.
 */
export function powershellProblems(
  { elevated_user, elevated_password, execution_policy, debug_mode }:
    PowershellConfig,
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (!elevated_user && elevated_password) {
    problems.push({
      path: ["elevated_password"],
      message: "Must supply an 'elevated_user' if 'elevated_password' provided",
    });
  }
  const policies: readonly string[] = EXECUTION_POLICIES;
  if (!policies.includes(policyName(execution_policy))) {
    problems.push({
      path: ["execution_policy"],
      message:
        `Invalid execution policy "${execution_policy}". Please supply one of: ${
          policies.map((policy) => `"${policy}"`).join(", ")
        }.`,
    });
  }
  if (![0, 1, 2].includes(debug_mode)) {
    problems.push({
      path: ["debug_mode"],
      message:
        `${debug_mode} is an invalid Trace level for \`debug_mode\`; valid values are 0, 1, and 2`,
    });
  }
  return problems;
}
