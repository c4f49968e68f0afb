// The post-processor on Packer's wire.

import type { Artifact } from "../contract/artifact.ts";
import type { PrepareOptions } from "../contract/builder.ts";
import type {
  PostProcessOptions,
  PostProcessor,
  PostProcessResult,
} from "../contract/post_processor.ts";
import { GENERATED_DATA, RemoteArtifact, serveArtifact } from "./artifact.ts";
import { callCancellable, CancelSwitch } from "./cancel.ts";
import { ConnectionClosedError } from "../rpc/protocol.ts";
import { encodeConfigs } from "./configs.ts";
import type { WireConnection } from "./connection.ts";
import { errorText, type RpcClient, type RpcMethods } from "./net_rpc.ts";
import {
  configErrorOf,
  configSpec,
  logWarnings,
  prepareWith,
  type Serving,
} from "./prepare.ts";
import { RemoteUi, serveUi } from "./ui.ts";
import { fields, replyError, streamId } from "./values.ts";

/**
 * Serves a post-processor.
 *
 * @param serving Makes the post-processor: a new one for each `Configure`, where it is a class.
 * @param connection The connection that it is served on.
 * @param methods Gets the methods.
 */
export function servePostProcessor(
  serving: Serving<PostProcessor>,
  connection: WireConnection,
  methods: RpcMethods,
): void {
  let postProcessor: PostProcessor | undefined;
  const runs = new CancelSwitch(connection);
  methods.set("PostProcessor.ConfigSpec", () => configSpec(serving));
  methods.set("PostProcessor.Configure", async (argument) => {
    const made = await serving.create();
    const { options } = made;
    logWarnings(
      await prepareWith(argument, options, (config) => made.configure(config)),
    );
    postProcessor = made;
  });
  methods.set(
    "PostProcessor.PostProcess",
    (argument) =>
      runs.run(async (signal) => {
        try {
          if (postProcessor === undefined) {
            throw new Error("PostProcess comes after Configure");
          }
          const id = streamId(argument);
          return await postProcess(postProcessor, connection, id, signal);
        } catch (error) {
          return { Err: { Message: errorText(error) } };
        }
      }),
  );
  methods.set("PostProcessor.Cancel", () => runs.cancel());
}

async function postProcess(
  postProcessor: PostProcessor,
  connection: WireConnection,
  id: number,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const client = await connection.dial(id);
  const ui = new RemoteUi(client);
  let isKept = false;
  try {
    const input = await RemoteArtifact.read(client);
    const data = fields(await input.state(GENERATED_DATA));
    const result: Partial<PostProcessResult> =
      await postProcessor.postProcess({ ui, artifact: input, data, signal }) ??
        {};
    const { artifact, keep = false, mustKeep = false } = result;
    // The result may be the input artifact, or refer to it.
    isKept = Boolean(artifact);
    return {
      Err: null,
      Keep: keep,
      ForceOverride: mustKeep,
      StreamId: artifact
        ? connection.offer(serveArtifact(artifact, data)).id
        : 0,
    };
  } finally {
    await ui.flush();
    if (!isKept) client.close();
  }
}

/** A post-processor that the other side serves. */
export class RemotePostProcessor implements PostProcessor {
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
  async configure(options: PrepareOptions): Promise<void> {
    try {
      await this.#client.call("PostProcessor.Configure", {
        Configs: encodeConfigs("post-processor", options),
      });
    } catch (error) {
      if (error instanceof ConnectionClosedError) throw error;
      throw configErrorOf(errorText(error));
    }
  }

  /**
   * Works on the artifact.
   *
   * @returns Without an artifact where the plugin returns none.
   */
  async postProcess(
    { ui, artifact, data, signal }: PostProcessOptions,
  ): Promise<PostProcessResult> {
    const methods = serveArtifact(artifact, data);
    serveUi(ui, methods);
    const offer = this.#connection.offer(methods);
    const reply = fields(
      await callCancellable(
        this.#client,
        "PostProcessor",
        signal,
        () => this.#client.call("PostProcessor.PostProcess", offer.id),
        offer.dialled,
      ),
    );
    const error = replyError(reply.Err);
    if (error !== undefined) throw error;
    const id = streamId(reply.StreamId);
    const result: Artifact | undefined = id === 0
      ? undefined
      : await RemoteArtifact.read(await this.#connection.dial(id));
    return {
      artifact: result,
      keep: reply.Keep === true,
      mustKeep: reply.ForceOverride === true,
    };
  }
}
