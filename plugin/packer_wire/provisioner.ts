// The provisioner on Packer's wire.

import type { PrepareOptions } from "../contract/builder.ts";
import type { Provisioner, ProvisionOptions } from "../contract/provisioner.ts";
import { remoteCommunicator } from "./communicator.ts";
import { callCancellable, CancelSwitch } from "./cancel.ts";
import { ConnectionClosedError } from "../rpc/protocol.ts";
import { encodeConfigs } from "./configs.ts";
import type { WireConnection } from "./connection.ts";
import { provisionMethods } from "./hook.ts";
import { errorText, type RpcClient, type RpcMethods } from "./net_rpc.ts";
import {
  configErrorOf,
  configSpec,
  logWarnings,
  prepareWith,
  type Serving,
} from "./prepare.ts";
import { RemoteUi } from "./ui.ts";
import { fields, streamId } from "./values.ts";

/**
 * Serves a provisioner.
 *
 * @param serving Makes the provisioner: a new one for each `Prepare`, where it is a class.
 * @param connection The connection that it is served on.
 * @param methods Gets the methods.
 */
export function serveProvisioner(
  serving: Serving<Provisioner>,
  connection: WireConnection,
  methods: RpcMethods,
): void {
  let provisioner: Provisioner | undefined;
  const runs = new CancelSwitch(connection);
  methods.set("Provisioner.ConfigSpec", () => configSpec(serving));
  methods.set("Provisioner.Prepare", async (argument) => {
    const made = await serving.create();
    const { options } = made;
    logWarnings(
      await prepareWith(argument, options, (config) => made.prepare(config)),
    );
    provisioner = made;
  });
  methods.set(
    "Provisioner.Provision",
    (argument) =>
      runs.run(async (signal) => {
        if (provisioner === undefined) {
          throw new Error("Provision comes after Prepare");
        }
        const { GeneratedData, StreamID } = fields(argument);
        const client = await connection.dial(streamId(StreamID));
        const ui = new RemoteUi(client);
        try {
          await provisioner.provision({
            ui,
            communicator: remoteCommunicator(client, connection),
            data: fields(GeneratedData),
            signal,
          });
        } finally {
          await ui.flush();
          client.close();
        }
      }),
  );
  methods.set("Provisioner.Cancel", () => runs.cancel());
}

/** A provisioner that the other side serves. */
export class RemoteProvisioner implements Provisioner {
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
  async prepare(options: PrepareOptions): Promise<void> {
    try {
      await this.#client.call("Provisioner.Prepare", {
        Configs: encodeConfigs("provisioner", options),
      });
    } catch (error) {
      if (error instanceof ConnectionClosedError) throw error;
      throw configErrorOf(errorText(error));
    }
  }

  /** Provisions the machine. */
  async provision(
    { ui, communicator, data, signal }: ProvisionOptions,
  ): Promise<void> {
    const offer = this.#connection.offer(
      provisionMethods(ui, communicator, this.#connection),
    );
    await callCancellable(
      this.#client,
      "Provisioner",
      signal,
      () =>
        this.#client.call("Provisioner.Provision", {
          GeneratedData: data,
          StreamID: offer.id,
        }),
      offer.dialled,
    );
  }
}
