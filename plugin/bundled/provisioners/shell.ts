// The provisioner shell runs scripts on the machine that is being built.

import { resolve } from "@std/path";
import type { BuildContext } from "../../contract/build_context.ts";
import type { PrepareOptions } from "../../contract/builder.ts";
import {
  ConfigError,
  type ConfigProblem,
} from "../../contract/config_error.ts";
import type { ConfigOf } from "../../contract/options.ts";
import { delay } from "../../common/delay.ts";
import type {
  Provisioner,
  ProvisionOptions,
} from "../../contract/provisioner.ts";
import { render } from "../../sdk/render.ts";
import { serveProvisioner } from "../../sdk/serve.ts";
import { goDuration } from "../../common/duration.ts";
import {
  environmentVars,
  environmentVarsProblems,
} from "../shell/environment_vars.ts";
import { exitCodesProblems } from "../shell/exit_codes.ts";
import { RemoteScript } from "../shell/remote_script.ts";
import { inlineScript, scriptSourceProblems } from "../shell/script_options.ts";
import { shellOptions } from "../shell/shell_options.ts";
import { templateProblems } from "../shared/template_problems.ts";
import { TemporaryFile } from "../shell/temporary_file.ts";

type Config = ConfigOf<typeof shellOptions>;

/** Runs scripts on the machine. */
export default class ShellProvisioner implements Provisioner<Config> {
  /** Its options. */
  readonly options: typeof shellOptions = shellOptions;
  #config!: Config;
  #build!: BuildContext;
  #scripts: readonly string[] = [];

  /** Checks the configuration and the scripts that it names. */
  async prepare({ config, build }: PrepareOptions<Config>): Promise<void> {
    this.#config = config;
    this.#build = build;
    const { script, scripts = [] } = config;
    this.#scripts = script ? [script] : scripts;
    const problems: ConfigProblem[] = [
      ...await scriptSourceProblems(config, build.workingDirectory),
      ...environmentVarsProblems(config.environment_vars, this.#isCustom),
      ...exitCodesProblems(config.valid_exit_codes),
      ...await templateProblems(config.execute_command ?? "", [
        "execute_command",
      ]),
    ];
    if (problems.length > 0) throw new ConfigError(problems);
  }

  /** Runs the scripts, one after the other. */
  async provision(options: ProvisionOptions): Promise<void> {
    const { ui, communicator, data, signal } = options;
    signal.throwIfAborted();
    if (!communicator) {
      throw new Error(
        "there is no machine to run a script on: the builder has no communicator",
      );
    }
    const { use_env_var_file, env_var_format, pause_after } = this.#config;
    const vars = await environmentVars({
      vars: this.#config.environment_vars,
      format: env_var_format ? { format: env_var_format, shell: "custom" } : {
        format: use_env_var_file ? "export %s='%s'\n" : "%s='%s' ",
        shell: "posix",
      },
      isCustom: this.#isCustom,
      build: this.#build,
      data,
    });
    const remote = new RemoteScript(this.#config, this.#build, {
      ...options,
      communicator,
      vars,
    });
    try {
      await this.#runAll(remote, options);
    } finally {
      await remote.clean();
    }
    if (pause_after) {
      await ui.say(
        `Pausing ${goDuration(pause_after)} after this provisioner...`,
      );
      await delay(pause_after, signal);
    }
  }

  async #runAll(
    remote: RemoteScript,
    { ui, data, signal }: ProvisionOptions,
  ): Promise<void> {
    for (const script of this.#scripts) {
      await ui.say(`Provisioning with shell script: ${script}`);
      await remote.run(resolve(this.#build.workingDirectory, script));
    }
    if (this.#scripts.length > 0) return;
    const lines = await Promise.all(
      this.#config.inline!.map((line) =>
        render(line, this.#build, { fields: data, generated: data })
      ),
    );
    await using file = await TemporaryFile.create(
      inlineScript(this.#config.inline_shebang, lines),
      { prefix: "baler-shell", signal },
    );
    await ui.say(`Provisioning with shell script: ${file.path}`);
    await remote.run(file.path);
  }

  /** True when the configuration has its own way of setting variables. */
  get #isCustom(): boolean {
    return Boolean(this.#config.execute_command || this.#config.env_var_format);
  }
}

if (import.meta.main) serveProvisioner(new ShellProvisioner());
