// A builder for whatever a command can enter: a chroot, a container, a pod, a
// namespace. Its communicator implements one method, start().

import {
  type Artifact,
  type BuildContext,
  type Builder,
  type BuilderRunOptions,
  ConfigError,
  type ConfigOf,
  type Options,
  type PrepareOptions,
  type RemoteCommand,
  type RunningCommand,
  serveBuilder,
} from "@baler/baler";
import {
  CommandCommunicator,
  LocalProcess,
  provisionStep,
  runSteps,
} from "@baler/baler/builder";

const options = {
  enter: {
    type: "strings",
    required: true,
    description:
      "The command that enters the machine; the machine's own command is put behind it.",
  },
} as const satisfies Options;

type Config = ConfigOf<typeof options>;

/** Runs each command behind another one; uploads and downloads follow from that. */
class EnterCommunicator extends CommandCommunicator {
  readonly #enter: readonly string[];

  constructor(enter: readonly string[]) {
    super();
    this.#enter = enter;
  }

  override start({ command, ...streams }: RemoteCommand): RunningCommand {
    // LocalProcess closes the outputs at the end, and ends the whole process
    // group when the signal is aborted.
    return new LocalProcess({
      argv: [...this.#enter, "/bin/sh", "-c", command],
      ...streams,
    });
  }
}

class EnterBuilder implements Builder<Config> {
  readonly options = options;
  #config!: Config;
  #build!: BuildContext;

  prepare({ config, build }: PrepareOptions<Config>) {
    if (config.enter.length === 0) {
      throw new ConfigError([{
        path: ["enter"],
        message: "must not be empty",
      }]);
    }
    this.#config = config;
    this.#build = build;
  }

  async run({ ui, hook, signal }: BuilderRunOptions): Promise<Artifact> {
    const communicator = new EnterCommunicator(this.#config.enter);
    await runSteps(
      [provisionStep({ hook, communicator: () => communicator })],
      {},
      { ui, signal, build: this.#build },
    );
    return {
      builderId: "example.enter",
      id: this.#config.enter.join(" "),
      files: [],
      destroy() {},
      toString: () => `provisioned: ${this.#config.enter.join(" ")}`,
    };
  }
}

if (import.meta.main) serveBuilder(new EnterBuilder());
