// What the provisioner and the post-processor shell-local have in common: they
// run scripts on this machine, not on the one that is being built.

import { resolve } from "@std/path";
import type { BuildContext } from "../../contract/build_context.ts";
import {
  ConfigError,
  type ConfigProblem,
} from "../../contract/config_error.ts";
import type { ConfigOf, Options } from "../../contract/options.ts";
import { render } from "../../sdk/render.ts";
import type { Ui } from "../../contract/ui.ts";
import {
  environmentVars,
  environmentVarsProblems,
} from "./environment_vars.ts";
import { checkExitStatus, exitCodesProblems } from "./exit_codes.ts";
import { warnOfBackground } from "../../builder/communicators/background_warning.ts";
import { LocalProcess } from "../../process/local_process.ts";
import { pipeToUi } from "./output_lines.ts";
import { type VariableFormat, withPaths } from "./quote.ts";
import { inlineScript, scriptProblems } from "./script_options.ts";
import { templateProblems } from "../shared/template_problems.ts";
import { TemporaryFile } from "./temporary_file.ts";

/** The options of shell-local. */
export const localShellOptions = {
  command: {
    type: "string",
    description: "A command to run; the same as `inline` with one line.",
  },
  inline: {
    type: "strings",
    description: "The lines of a script to run.",
  },
  inline_shebang: {
    type: "string",
    description: "The program that runs `inline`; `/bin/sh -e` by default.",
  },
  script: { type: "string", description: "The path of a script to run." },
  scripts: {
    type: "strings",
    description: "The paths of scripts to run, in this order.",
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
  execute_command: {
    type: "strings",
    interpolate: false,
    description:
      'The program that runs a script, and its arguments; `["/bin/sh", "-c", "{{.Vars}} {{.Script}}"]` by default.',
  },
  only_on: {
    type: "strings",
    description:
      "The operating systems on which to run the script; on others it is skipped.",
  },
  tempfile_extension: {
    type: "string",
    description: "The extension of the file that `inline` is written to.",
  },
  use_linux_pathing: {
    type: "boolean",
    default: false,
    description:
      "Give the paths of scripts as the Linux subsystem of Windows sees them.",
  },
  valid_exit_codes: {
    type: "strings",
    description: "The exit codes that mean success; `[0]` by default.",
  },
} as const satisfies Options;

/** The configuration of shell-local, decoded. */
export type LocalShellConfig = ConfigOf<typeof localShellOptions>;

const SYSTEMS = [
  "darwin",
  "freebsd",
  "linux",
  "openbsd",
  "solaris",
  "windows",
];

const TOO_MANY =
  "You may only specify one of the following options: Command, Inline, Script or Scripts. " +
  "Please consolidate these options in your config.";

/** The arguments of {@linkcode LocalShell.run}. */
export interface LocalShellRunOptions {
  /** Where the scripts and their output are shown. */
  ui: Ui;
  /** What the builder published. */
  data: Record<string, unknown>;
  /** Ends the script when aborted. */
  signal: AbortSignal;
}

/** Runs the scripts of one shell-local. */
export class LocalShell {
  readonly #config: LocalShellConfig;
  readonly #build: BuildContext;
  readonly #windows = Deno.build.os === "windows";
  #scripts: string[] = [];
  #inline: readonly string[] = [];

  private constructor(config: LocalShellConfig, build: BuildContext) {
    this.#config = config;
    this.#build = build;
  }

  /**
   * Checks a configuration.
   *
   * @param config The configuration.
   * @param build The build.
   * @throws {ConfigError} When the configuration is not valid.
   */
  static async create(
    config: LocalShellConfig,
    build: BuildContext,
  ): Promise<LocalShell> {
    const shell = new LocalShell(config, build);
    const problems = [
      ...await shell.#setScripts(),
      ...shell.#setInline(),
      ...(await Promise.all(
        (config.execute_command ?? []).map((word, index) =>
          templateProblems(word, ["execute_command", index])
        ),
      )).flat(),
      ...environmentVarsProblems(config.environment_vars, shell.#isCustom),
      ...exitCodesProblems(config.valid_exit_codes),
      ...(config.only_on ?? []).flatMap((system, index) =>
        SYSTEMS.includes(system) ? [] : [{
          path: ["only_on", index],
          message: `Invalid OS specified in only_on: '${system}'\n` +
            `Supported OS names: ${SYSTEMS.join(", ")}`,
        }]
      ),
    ];
    if (problems.length > 0) throw new ConfigError(problems);
    return shell;
  }

  async #setScripts(): Promise<ConfigProblem[]> {
    const { script, scripts = [], use_linux_pathing } = this.#config;
    const named = script ? [...scripts, script] : scripts;
    this.#scripts = named.map((path) =>
      resolve(this.#build.workingDirectory, path)
    );
    const problems = await scriptProblems(
      named,
      this.#build.workingDirectory,
      script ? "script" : "scripts",
    );
    if (!use_linux_pathing) return problems;
    this.#scripts = this.#scripts.map((path, index) => {
      const drive = /^([A-Za-z]):\/(.*)$/s.exec(path.replaceAll("\\", "/"));
      if (drive) return `/mnt/${drive[1]!.toLowerCase()}/${drive[2]}`;
      problems.push({
        path: script ? ["script"] : ["scripts", index],
        message:
          "There was an error splitting your absolute path; expected to find a drive " +
          `following the format ':/' but did not: absolute path: ${path}`,
      });
      return path;
    });
    return problems;
  }

  #setInline(): ConfigProblem[] {
    const { command, inline = [], script, scripts, use_linux_pathing } =
      this.#config;
    this.#inline = command ? [command] : inline;
    const given = [command, inline.length, script, scripts?.length];
    const problems: ConfigProblem[] = [];
    switch (given.filter(Boolean).length) {
      case 0:
        problems.push({
          path: [],
          message:
            "Command, Inline, Script and Scripts options cannot all be empty.",
        });
        break;
      case 1:
        break;
      default:
        problems.push({ path: [], message: TOO_MANY });
    }
    if (use_linux_pathing && this.#inline.length > 0) {
      problems.push({
        path: ["use_linux_pathing"],
        message: "Command and Inline cannot be used with the Windows Linux " +
          "Subsystem. Please use the Script or Scripts options instead",
      });
    }
    return problems;
  }

  /**
   * Runs the scripts, one after the other.
   *
   * @param options The ui, and what the templates may refer to.
   * @throws {Error} When a script failed; the signal's reason when it is aborted.
   */
  async run({ ui, data, signal }: LocalShellRunOptions): Promise<void> {
    signal.throwIfAborted();
    const { only_on, inline_shebang, tempfile_extension } = this.#config;
    if (only_on?.length && !only_on.includes(Deno.build.os)) {
      return void await ui.say("Skipping shell-local due to runtime OS");
    }
    const vars = await environmentVars({
      vars: this.#config.environment_vars,
      format: this.#format,
      isCustom: this.#isCustom,
      build: this.#build,
      data,
    });
    if (this.#scripts.length === 0) {
      const lines = await this.#render(this.#inline, data, data);
      const shebang = inline_shebang || (this.#windows ? "" : "/bin/sh -e");
      const extension = tempfile_extension || (this.#windows ? "cmd" : "");
      await using file = await TemporaryFile.create(
        inlineScript(shebang, lines),
        {
          prefix: "baler-shell",
          suffix: extension.replace(/^\.?(?=.)/, "."),
          signal,
        },
      );
      return await this.#runOne(file.path, file.path, vars, {
        ui,
        data,
        signal,
      });
    }
    const { script, scripts = [] } = this.#config;
    const named = script ? [script] : scripts;
    for (const [index, path] of this.#scripts.entries()) {
      await this.#runOne(named[index]!, path, vars, { ui, data, signal });
    }
  }

  async #runOne(
    name: string,
    path: string,
    vars: string,
    { ui, data, signal }: LocalShellRunOptions,
  ): Promise<void> {
    const { execute_command, valid_exit_codes } = this.#config;
    const argv = await this.#argv(
      execute_command?.length ? execute_command : this.#defaultCommand,
      path,
      vars,
      data,
    );
    await ui.say(`Running local shell script: ${name}`);
    let running: LocalProcess;
    try {
      running = new LocalProcess({
        argv,
        cwd: this.#build.workingDirectory,
        ...pipeToUi(ui),
        signal,
        onBackground: (members) => warnOfBackground(ui, members),
      });
    } catch (cause) {
      signal.throwIfAborted();
      throw new Error(
        `Error executing script: ${name}: ${(cause as Error).message}`,
        { cause },
      );
    }
    checkExitStatus(await running.wait(), valid_exit_codes);
  }

  /** Only the argument after `-c` is a program for a shell, in which a path is quoted. */
  #argv(
    command: readonly string[],
    path: string,
    vars: string,
    data: Record<string, unknown>,
  ): Promise<string[]> {
    return Promise.all(command.map((argument, index) => {
      const fill = (paths: Record<string, string>) =>
        render(argument, this.#build, {
          fields: { ...data, ...paths, Vars: vars },
          generated: data,
        });
      const paths = { Script: path, Command: path };
      return command[index - 1] === "-c" ? withPaths(paths, fill) : fill(paths);
    }));
  }

  #render(
    texts: readonly string[],
    fields: Record<string, unknown>,
    generated: Record<string, unknown>,
  ): Promise<string[]> {
    return Promise.all(
      texts.map((text) => render(text, this.#build, { fields, generated })),
    );
  }

  get #format(): VariableFormat {
    const { env_var_format, use_linux_pathing } = this.#config;
    if (env_var_format) return { format: env_var_format, shell: "custom" };
    return this.#windows && !use_linux_pathing
      ? { format: "set %s=%s && ", shell: "cmd" }
      : { format: "%s='%s' ", shell: "posix" };
  }

  get #defaultCommand(): readonly string[] {
    return this.#windows
      ? ["cmd", "/V", "/C", "{{.Vars}}", "call", "{{.Script}}"]
      : ["/bin/sh", "-c", "{{.Vars}} {{.Script}}"];
  }

  /** True when the configuration has its own way of setting variables. */
  get #isCustom(): boolean {
    const { execute_command, env_var_format } = this.#config;
    return this.#windows || Boolean(execute_command?.length || env_var_format);
  }
}
