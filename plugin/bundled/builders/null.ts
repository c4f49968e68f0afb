// The builder null makes nothing. It exists for its provisioners.

import type { Artifact } from "../../contract/artifact.ts";
import type { BuildContext } from "../../contract/build_context.ts";
import type {
  Builder,
  BuilderRunOptions,
  PrepareOptions,
  PrepareResult,
} from "../../contract/builder.ts";
import type { Communicator } from "../../contract/communicator.ts";
import {
  ConfigError,
  type ConfigProblem,
} from "../../contract/config_error.ts";
import type {
  ConfigOf,
  Option,
  Options,
  OptionTypes,
} from "../../contract/options.ts";
import { warnOfBackground } from "../../builder/communicators/background_warning.ts";
import { connectStep } from "../../builder/connect.ts";
import { provisionStep } from "../../builder/provision.ts";
import { sshOptions, sshProblems } from "../../builder/ssh/ssh_options.ts";
import { runSteps, type Step } from "../../builder/steps.ts";
import { serveBuilder } from "../../sdk/serve.ts";
import { runUuid } from "../shared/run_uuid.ts";

// Declared, so that the error for a template with winrm names the communicators
// that there are, instead of unknown keys.
const WINRM_OPTIONS = {
  boolean: [
    "winrm_insecure",
    "winrm_no_proxy",
    "winrm_use_ntlm",
    "winrm_use_ssl",
  ],
  duration: ["winrm_timeout"],
  number: ["winrm_port"],
  string: ["winrm_host", "winrm_password", "winrm_username"],
} as const satisfies Partial<Record<keyof OptionTypes, readonly string[]>>;

type WinrmKey = typeof WINRM_OPTIONS[keyof typeof WINRM_OPTIONS][number];

const winrmOptions = Object.fromEntries(
  Object.entries(WINRM_OPTIONS).flatMap(([type, keys]) =>
    keys.map((key) => [key, {
      type,
      description: "An option of a communicator that baler does not have.",
    }])
  ),
) as Readonly<Record<WinrmKey, Option>>;

const options = {
  communicator: {
    type: "string",
    default: "ssh",
    description:
      "How provisioners reach the machine: `ssh`, `none` (there is no machine) or `local` (this machine).",
  },
  ...sshOptions,
  ...winrmOptions,
} as const satisfies Options;

type NullConfig = ConfigOf<typeof options>;

const COMMUNICATORS = ["ssh", "none", "local"] as const;

/** What the steps of a run share. */
interface State {
  communicator?: Communicator;
}

/** Makes nothing. */
export default class NullBuilder implements Builder<NullConfig> {
  /** Its options. */
  readonly options: typeof options = options;
  #config!: NullConfig;
  #build!: BuildContext;

  /** Checks the communicator and its options. */
  async prepare(
    { config, build }: PrepareOptions<NullConfig>,
  ): Promise<PrepareResult> {
    const communicator = config.communicator || "ssh";
    this.#config = { ...config, communicator };
    this.#build = build;
    if (!isCommunicator(communicator)) {
      throw new ConfigError([{
        path: ["communicator"],
        message: communicator === "winrm"
          ? `the communicator "winrm" is not in this baler; set "communicator" to "ssh", which Windows has too`
          : `communicator type ${communicator} is invalid; set "communicator" to "ssh", to "none" (there is no machine) or to "local" (provisioners work on this machine)`,
      }]);
    }
    if (communicator === "ssh") {
      const problems = [...await sshProblems(config), ...missing(config)];
      if (problems.length > 0) throw new ConfigError(problems);
    }
    return {
      warnings: withoutEffect(config, communicator).map((key) =>
        `"${key}" does nothing with the communicator "${communicator}"`
      ),
      generatedData: Object.keys({
        ...await this.#data(),
        ...this.#dataOfCommunicator(),
      }),
    };
  }

  /** Connects, and runs the provisioners. */
  async run({ ui, hook, signal }: BuilderRunOptions): Promise<Artifact> {
    const data = {
      ...await this.#data(),
      ...this.#dataOfCommunicator(),
    };
    await runSteps<State>(
      [
        await this.#connect(),
        provisionStep<State>({
          hook,
          communicator: (state) => state.communicator,
          data: () => data,
        }),
      ],
      {},
      { ui, signal, build: this.#build },
    );
    return new NullArtifact();
  }

  async #connect(): Promise<Step<State>> {
    const config = this.#config;
    if (config.communicator === "none") {
      const { NoneCommunicator } = await import(
        "../../builder/communicators/none.ts"
      );
      return {
        name: "StepConnect",
        run(state) {
          state.communicator = new NoneCommunicator();
        },
      };
    }
    if (config.communicator === "local") {
      const { LocalCommunicator } = await import(
        "../../builder/communicators/local.ts"
      );
      let local: AsyncDisposable | undefined;
      return {
        name: "StepConnect",
        run: (state, { ui }) => {
          local = state.communicator = new LocalCommunicator({
            workingDirectory: this.#build.workingDirectory,
            onBackground: (members) => warnOfBackground(ui, members),
          });
        },
        cleanup: async () => await local?.[Symbol.asyncDispose](),
      };
    }
    return connectStep<State>({
      config,
      target: () => ({
        host: config.ssh_host!,
        port: config.ssh_port || sshOptions.ssh_port.default,
        username: config.ssh_username!,
      }),
    });
  }

  async #data(): Promise<Record<string, unknown>> {
    return {
      ID: "Null",
      PackerRunUUID: await runUuid(),
      PackerHTTPAddr: "ERR_HTTP_ADDR_NOT_IMPLEMENTED_BY_BUILDER",
      PackerHTTPIP: "ERR_HTTP_IP_NOT_IMPLEMENTED_BY_BUILDER",
      PackerHTTPPort: "ERR_HTTP_PORT_NOT_IMPLEMENTED_BY_BUILDER",
    };
  }

  #dataOfCommunicator(): Record<string, unknown> {
    const config = this.#config;
    switch (config.communicator) {
      case "none":
        return {};
      case "local":
        return { Host: "localhost", ConnType: "local" };
      default:
        return {
          Host: config.ssh_host,
          Port: config.ssh_port || sshOptions.ssh_port.default,
          User: config.ssh_username,
          Password: config.ssh_password ?? "",
          ConnType: "ssh",
          SSHPublicKey: "",
          SSHPrivateKey: "",
          WinRMPassword: "",
        };
    }
  }
}

function isCommunicator(name: string): name is typeof COMMUNICATORS[number] {
  return (COMMUNICATORS as readonly string[]).includes(name);
}

/** What this builder cannot find out by itself, and more than one way to log in. */
function missing(config: NullConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (!config.ssh_host) {
    problems.push({
      path: ["ssh_host"],
      message: "a Host must be specified: set ssh_host",
    });
  }
  const ways = [
    config.ssh_password,
    config.ssh_private_key_file,
    config.ssh_agent_auth,
  ].filter(Boolean);
  if (ways.length > 1) {
    problems.push({
      path: [],
      message:
        "only one of ssh_agent_auth, ssh_password, and ssh_private_key_file must be specified",
    });
  }
  if (ways.length === 0) {
    problems.push({
      path: [],
      message:
        "one authentication method must be specified: set ssh_private_key_file, ssh_password or ssh_agent_auth",
    });
  }
  return problems;
}

/** The options that the template sets although the communicator does not read them. */
function withoutEffect(config: NullConfig, communicator: string): string[] {
  return Object.entries(config).filter(([key, value]) => {
    if (key === "communicator" || value === undefined) return false;
    if (key in sshOptions && communicator === "ssh") return false;
    const option: Option = options[key as keyof NullConfig];
    return value !== option.default;
  }).map(([key]) => key);
}

class NullArtifact implements Artifact {
  readonly builderId = "fnoeding.null";
  readonly id = "Null";
  readonly files = [];
  destroy() {}
  toString() {
    return "Did not export anything. This is the null builder";
  }
}

if (import.meta.main) serveBuilder(new NullBuilder());
