// The provisioner powershell runs PowerShell scripts on a Windows machine that is being built.

import { basename, resolve } from "@std/path";
import type { BuildContext } from "../../contract/build_context.ts";
import type { PrepareOptions } from "../../contract/builder.ts";
import type { Communicator } from "../../contract/communicator.ts";
import { ConfigError } from "../../contract/config_error.ts";
import type {
  Provisioner,
  ProvisionOptions,
} from "../../contract/provisioner.ts";
import { render } from "../../sdk/render.ts";
import { serveProvisioner } from "../../sdk/serve.ts";
import { templateProblems } from "../shared/template_problems.ts";
import { uploadElevatedScript } from "../shell/elevated_script.ts";
import {
  environmentVars,
  environmentVarsProblems,
} from "../shell/environment_vars.ts";
import { checkExitStatus, exitCodesProblems } from "../shell/exit_codes.ts";
import {
  type PowershellConfig,
  powershellOptions,
  powershellProblems,
  withDefaults,
} from "../shell/powershell_options.ts";
import { runRemoteCommand } from "../shell/remote_command.ts";
import { retry } from "../shell/retry.ts";
import { scriptSourceProblems } from "../shell/script_options.ts";
import {
  eachScript,
  uploadScript,
  uploadText,
} from "../shell/windows_script.ts";

/** How long to try to delete the uploaded files, and how long to wait between two tries. */
const CLEANUP_TIMEOUT_MS = 60_000;
const CLEANUP_DELAY_MS = 10_000;

type Config = ReturnType<typeof withDefaults>;
type WithMachine = ProvisionOptions & { communicator: Communicator };

/** Runs PowerShell scripts on a Windows machine. */
export default class PowershellProvisioner
  implements Provisioner<PowershellConfig> {
  /** Its options. */
  readonly options: typeof powershellOptions = powershellOptions;
  #config!: Config;
  #build!: BuildContext;

  /** Checks the configuration and the scripts that it names. */
  async prepare(
    { config, build }: PrepareOptions<PowershellConfig>,
  ): Promise<void> {
    this.#build = build;
    this.#config = withDefaults(config);
    const problems = [
      ...await scriptSourceProblems(config, build.workingDirectory),
      ...environmentVarsProblems(config.environment_vars, true),
      ...exitCodesProblems(config.valid_exit_codes),
      ...powershellProblems(config),
      ...await templateProblems(this.#config.execute_command, [
        "execute_command",
      ]),
      ...await templateProblems(this.#config.elevated_execute_command, [
        "elevated_execute_command",
      ]),
    ];
    if (problems.length > 0) throw new ConfigError(problems);
  }

  /** Runs the scripts, one after the other. */
  async provision(options: ProvisionOptions): Promise<void> {
    const { ui, communicator, data, signal } = options;
    signal.throwIfAborted();
    await ui.say("Provisioning with Powershell...");
    if (!communicator) {
      throw new Error(
        "there is no machine to run a script on: the builder has no communicator",
      );
    }
    const machine = { ...options, communicator };
    const uploaded = [this.#config.remote_env_var_path];
    const source = { ...this.#config, build: this.#build, data, signal };
    await eachScript(source, "powershell", async (script) => {
      await ui.say(`Provisioning with powershell script: ${script}`);
      uploaded.push(await this.#run(script, machine));
    });
    if (!this.#config.skip_clean) await this.#clean(uploaded, machine);
  }

  /** Runs one script; returns where it was uploaded to. */
  async #run(script: string, machine: WithMachine): Promise<string> {
    const { ui, communicator, signal } = machine;
    const path = resolve(this.#build.workingDirectory, script);
    const to = this.#remotePath(path);
    const command = await this.#command(to, machine);
    // The upload is part of each try: a machine that restarts in between may lose the file.
    const status = await this.#retry(signal, async () => {
      await uploadScript({
        communicator,
        path,
        to,
        withFileInfo: true,
        signal,
      });
      return await runRemoteCommand({ command, communicator, ui, signal });
    });
    checkExitStatus(status, this.#config.valid_exit_codes);
    return to;
  }

  /** A remote path that ends with a backslash is a directory, which the first script's name completes. */
  #remotePath(script: string): string {
    if (this.#config.remote_path.endsWith("\\")) {
      this.#config.remote_path += basename(script);
    }
    return this.#config.remote_path;
  }

  /** Uploads what the command needs beside the script, and renders it. */
  async #command(path: string, machine: WithMachine): Promise<string> {
    const { communicator, data, signal } = machine;
    const { elevated_user, elevated_password = "" } = this.#config;
    const vars = await environmentVars({
      vars: this.#config.environment_vars,
      format: {
        format: elevated_user
          ? this.#config.elevated_env_var_format
          : this.#config.env_var_format,
        shell: "powershell",
      },
      isCustom: true,
      build: this.#build,
      data,
    });
    await this.#retry(signal, async () => {
      const to = this.#config.remote_env_var_path;
      await uploadText(communicator, to, vars, signal);
    });
    if (!elevated_user) return await this.#executeCommand(path, data);
    const command = await this.#render(
      this.#config.elevated_execute_command,
      path,
      data,
    );
    // The password may be one that the builder publishes, such as {{.WinRMPassword}}.
    const password = await render(elevated_password, this.#build, {
      fields: data,
      generated: data,
    });
    const user = elevated_user;
    return await uploadElevatedScript({
      command,
      user,
      password,
      communicator,
      signal,
    });
  }

  #executeCommand(path: string, data: Record<string, unknown>) {
    return this.#render(this.#config.execute_command, path, data);
  }

  #render(command: string, path: string, data: Record<string, unknown>) {
    const vars = this.#config.remote_env_var_path;
    return render(command, this.#build, {
      fields: { ...data, Path: path, Vars: vars },
      generated: data,
    });
  }

  /** Deletes the uploaded files by a script that deletes itself, too. Files that stay are no error. */
  async #clean(
    uploaded: readonly string[],
    { ui, communicator, data, signal }: WithMachine,
  ): Promise<void> {
    const path = `c:/Windows/Temp/packer-cleanup-${crypto.randomUUID()}.ps1`;
    const script = [...uploaded, path].map((file) =>
      `if (Test-Path ${file}) {Remove-Item ${file}}\n`
    ).join("");
    try {
      await retry(async () => {
        await uploadText(communicator, path, script, signal);
        const command = await this.#executeCommand(path, data);
        await runRemoteCommand({ command, communicator, ui, signal });
      }, {
        timeoutMs: CLEANUP_TIMEOUT_MS,
        delayMs: CLEANUP_DELAY_MS,
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      console.error(
        `${uploaded.join(", ")} could not be deleted on the machine: ${error}`,
      );
    }
  }

  #retry<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const timeoutMs = this.#config.start_retry_timeout || 5 * 60_000;
    return retry(work, { timeoutMs, signal });
  }
}

if (import.meta.main) serveProvisioner(new PowershellProvisioner());
