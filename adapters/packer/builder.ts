// A builder of Packer's under baler: what differs from its behaviour under Packer.

import type { Artifact } from "../../plugin/contract/artifact.ts";
import type {
  Builder,
  BuilderRunOptions,
  PrepareOptions,
  PrepareResult,
} from "../../plugin/contract/builder.ts";
import type { Hook, HookOptions } from "../../plugin/contract/hook.ts";
import type { Ui } from "../../plugin/contract/ui.ts";
import { GENERATED_DATA } from "../../plugin/packer_wire/artifact.ts";
import { render } from "../../plugin/sdk/render.ts";

/** A builder whose communicator may be none, and whose cancel is an error. */
export class AdaptedBuilder implements Builder {
  readonly #builder: Builder;
  #hasCommunicator = true;
  #keepsOnAbort = false;

  /**
   * @param builder The builder, as it is on Packer's wire.
   */
  constructor(builder: Builder) {
    this.#builder = builder;
  }

  /** Takes the configuration and checks it. */
  async prepare(options: PrepareOptions): Promise<PrepareResult | void> {
    const result = await this.#builder.prepare(options);
    this.#hasCommunicator = await communicatorOf(options) !== "none";
    this.#keepsOnAbort = options.build.onError === "abort";
    return result;
  }

  /** Builds, and returns when the artifact is there. */
  async run(
    { ui, hook, signal }: BuilderRunOptions,
  ): Promise<Artifact | undefined> {
    const recorded = new RecordedHook(hook, ui, this.#hasCommunicator);
    const artifact = await this.#builder.run({ ui, hook: recorded, signal }) ??
      undefined;
    if (signal.aborted) {
      // Some builders finish in spite of a cancel, and return what they made.
      if (!this.#keepsOnAbort) await artifact?.destroy();
      throw signal.reason;
    }
    return artifact && new PublishingArtifact(artifact, recorded.data);
  }
}

/** The configured communicator, whose name can be a template. */
async function communicatorOf(
  { config, build }: PrepareOptions,
): Promise<unknown> {
  const { communicator } = config;
  return typeof communicator === "string"
    ? await render(communicator, build)
    : communicator;
}

/** Passes the hook on, and keeps what the builder publishes. */
class RecordedHook implements Hook {
  data: Record<string, unknown> = {};
  readonly #hook: Hook;
  readonly #ui: Ui;
  readonly #hasCommunicator: boolean;

  constructor(hook: Hook, ui: Ui, hasCommunicator: boolean) {
    this.#hook = hook;
    this.#ui = ui;
    this.#hasCommunicator = hasCommunicator;
  }

  run({ communicator, ...options }: HookOptions): void | Promise<void> {
    this.data = { ...this.data, ...options.data };
    return this.#hook.run({
      ...options,
      // The builder hands on the ui that it was given: lines need not go through its process and back.
      ui: this.#ui,
      // A builder in Go without a communicator offers a nil one: the first call of it would crash the plugin.
      ...(this.#hasCommunicator && communicator !== undefined
        ? { communicator }
        : {}),
    });
  }
}

/** An artifact that also tells what the builder published: post-processors ask it for that. */
class PublishingArtifact implements Artifact {
  readonly builderId: string;
  readonly id: string;
  readonly files: readonly string[];
  readonly #artifact: Artifact;
  readonly #published: Record<string, unknown>;

  constructor(artifact: Artifact, published: Record<string, unknown>) {
    this.builderId = artifact.builderId;
    this.id = artifact.id;
    this.files = artifact.files;
    this.#artifact = artifact;
    this.#published = published;
  }

  async state(name: string): Promise<unknown> {
    return await this.#artifact.state?.(name) ??
      (name === GENERATED_DATA ? this.#published : undefined);
  }

  async destroy(): Promise<void> {
    await this.#artifact.destroy();
  }

  toString(): string {
    return this.#artifact.toString();
  }
}
