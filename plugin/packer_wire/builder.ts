// The builder on Packer's wire.

import type {
  Builder,
  BuilderRunOptions,
  PrepareOptions,
  PrepareResult,
} from "../contract/builder.ts";
import type { Artifact } from "../contract/artifact.ts";
import { RemoteArtifact, serveArtifact } from "./artifact.ts";
import { callCancellable, CancelSwitch } from "./cancel.ts";
import { encodeConfigs } from "./configs.ts";
import type { WireConnection } from "./connection.ts";
import { RemoteHook, serveHook } from "./hook.ts";
import { errorText, type RpcClient, type RpcMethods } from "./net_rpc.ts";
import {
  configErrorOf,
  configSpec,
  prepareWith,
  type Serving,
} from "./prepare.ts";
import { RemoteUi, serveUi } from "./ui.ts";
import { fields, replyError, streamId, strings } from "./values.ts";

/**
 * Serves a builder.
 *
 * @param serving Makes the builder: a new one for each `Prepare`, where it is a class.
 * @param connection The connection that it is served on.
 * @param methods Gets the methods.
 */
export function serveBuilder(
  serving: Serving<Builder>,
  connection: WireConnection,
  methods: RpcMethods,
): void {
  let builder: Builder | undefined;
  const runs = new CancelSwitch(connection);
  methods.set("Builder.ConfigSpec", () => configSpec(serving));
  methods.set("Builder.Prepare", async (argument) => {
    try {
      const made = await serving.create();
      const { warnings = [], generatedData = [] } = await prepareWith(
        argument,
        made.options,
        (options) => made.prepare(options),
      );
      builder = made;
      return { GeneratedVars: generatedData, Warnings: warnings, Error: null };
    } catch (error) {
      return { Error: { Message: errorText(error) } };
    }
  });
  methods.set("Builder.Run", (argument) =>
    runs.run(async (signal) => {
      if (builder === undefined) throw new Error("Run comes after Prepare");
      const client = await connection.dial(streamId(argument));
      const ui = new RemoteUi(client);
      const hook = new RemoteHook(client, connection);
      try {
        const artifact = await builder.run({ ui, hook, signal });
        if (!artifact) return 0;
        return connection.offer(serveArtifact(artifact, hook.data)).id;
      } finally {
        await ui.flush();
        client.close();
      }
    }));
  methods.set("Builder.Cancel", () => runs.cancel());
}

/** A builder that the other side serves. */
export class RemoteBuilder implements Builder {
  readonly #client: RpcClient;
  readonly #connection: WireConnection;

  /**
   * @param client Calls the plugin's component.
   * @param connection The connection that it has.
   */
  constructor(client: RpcClient, connection: WireConnection) {
    this.#client = client;
    this.#connection = connection;
  }

  /** Takes the configuration and checks it. */
  async prepare(options: PrepareOptions): Promise<PrepareResult> {
    const reply = fields(
      await this.#client.call("Builder.Prepare", {
        Configs: encodeConfigs("builder", options),
      }),
    );
    const error = replyError(reply.Error);
    if (error !== undefined) throw configErrorOf(error.message);
    return {
      warnings: strings(reply.Warnings),
      generatedData: strings(reply.GeneratedVars),
    };
  }

  /**
   * Builds. Builders in Go may return an artifact and no error after a cancel:
   * the caller looks at its own signal.
   */
  async run(
    { ui, hook, signal }: BuilderRunOptions,
  ): Promise<Artifact | undefined> {
    const methods: RpcMethods = new Map();
    serveUi(ui, methods);
    serveHook(hook, this.#connection, methods);
    const offer = this.#connection.offer(methods);
    const id = streamId(
      await callCancellable(
        this.#client,
        "Builder",
        signal,
        () => this.#client.call("Builder.Run", offer.id),
        offer.dialled,
      ),
    );
    if (id === 0) return undefined;
    return await RemoteArtifact.read(await this.#connection.dial(id));
  }
}
