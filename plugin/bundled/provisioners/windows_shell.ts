// The provisioner windows-shell runs batch files on a Windows machine that is being built.

import { resolve } from "@std/path";
import type { BuildContext } from "../../contract/build_context.ts";
import type { PrepareOptions } from "../../contract/builder.ts";
import { ConfigError } from "../../contract/config_error.ts";
import type {
  Provisioner,
  ProvisionOptions,
} from "../../contract/provisioner.ts";
import type { ConfigOf, Option } from "../../contract/options.ts";
import { render } from "../../sdk/render.ts";
import { serveProvisioner } from "../../sdk/serve.ts";
import { templateProblems } from "../shared/template_problems.ts";
import {
  environmentVars,
  environmentVarsProblems,
} from "../shell/environment_vars.ts";
import { checkExitStatus, exitCodesProblems } from "../shell/exit_codes.ts";
import { runRemoteCommand } from "../shell/remote_command.ts";
import { retry } from "../shell/retry.ts";
import { scriptSourceProblems } from "../shell/script_options.ts";
import { eachScript, uploadScript } from "../shell/windows_script.ts";
import { windowsScriptOptions } from "../shell/windows_script_options.ts";

const options = {
  ...windowsScriptOptions,
  env_var_format: {
    type: "string",
    default: 'set "%s=%s" && ',
    description: "How a variable is written into `{{.Vars}}`.",
  },
  execute_command: {
    type: "string",
    default: '{{.Vars}}"{{.Path}}"',
    interpolate: false,
    description: "The command that runs a script.",
  },
  remote_path: {
    type: "string",
    default: "c:/Windows/Temp/script.bat",
    description: "The file on the machine that a script is uploaded to.",
  },
} as const satisfies Readonly<Record<string, Option>>;

type Config = ConfigOf<typeof options>;

/** Runs batch files on a Windows machine. */
export default class WindowsShellProvisioner implements Provisioner<Config> {
  /** Its options. */
  readonly options: typeof options = options;
  #config!: Config;
  #build!: BuildContext;

  /** Checks the configuration and the scripts that it names. */
  async prepare({ config, build }: PrepareOptions<Config>): Promise<void> {
    this.#build = build;
    // An empty string means the default, as in Packer.
    this.#config = {
      ...config,
      env_var_format: config.env_var_format || options.env_var_format.default,
      execute_command: config.execute_command ||
        options.execute_command.default,
      remote_path: config.remote_path || options.remote_path.default,
    };
    const problems = [
      ...await scriptSourceProblems(config, build.workingDirectory),
      ...environmentVarsProblems(config.environment_vars, true),
      ...exitCodesProblems(config.valid_exit_codes),
      ...await templateProblems(this.#config.execute_command, [
        "execute_command",
      ]),
    ];
    if (problems.length > 0) throw new ConfigError(problems);
  }

  /** Runs the scripts, one after the other. */
  async provision(
    { ui, communicator, data, signal }: ProvisionOptions,
  ): Promise<void> {
    signal.throwIfAborted();
    await ui.say("Provisioning with windows-shell...");
    if (!communicator) {
      throw new Error(
        "there is no machine to run a script on: the builder has no communicator",
      );
    }
    const { execute_command, remote_path, valid_exit_codes } = this.#config;
    const vars = await environmentVars({
      vars: this.#config.environment_vars,
      format: { format: this.#config.env_var_format, shell: "custom" },
      isCustom: true,
      build: this.#build,
      data,
    });
    const command = await render(execute_command, this.#build, {
      fields: { ...data, Vars: vars, Path: remote_path },
      generated: data,
    });
    const source = { ...this.#config, build: this.#build, data, signal };
    await eachScript(source, "windows-shell", async (script) => {
      await ui.say(`Provisioning with shell script: ${script}`);
      const path = resolve(this.#build.workingDirectory, script);
      // The upload is part of each try: a machine that restarts in between may lose the file.
      const status = await retry(async () => {
        await uploadScript({ communicator, path, to: remote_path, signal });
        return await runRemoteCommand({ command, communicator, ui, signal });
      }, {
        timeoutMs: this.#config.start_retry_timeout || 5 * 60_000,
        ui,
        signal,
      });
      checkExitStatus(status, valid_exit_codes);
    });
  }
}

if (import.meta.main) serveProvisioner(new WindowsShellProvisioner());
