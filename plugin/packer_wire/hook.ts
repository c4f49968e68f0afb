// The hook on Packer's wire: `Hook.Run`, with which a builder runs the
// provisioners.

import type { Communicator } from "../contract/communicator.ts";
import {
  type Hook,
  HOOK_CLEANUP_PROVISION,
  HOOK_PROVISION,
  type HookOptions,
} from "../contract/hook.ts";
import type { Ui } from "../contract/ui.ts";
import { callCancellable, cancelled } from "./cancel.ts";
import { remoteCommunicator, serveCommunicator } from "./communicator.ts";
import { COMMON_DATA } from "./configs.ts";
import type { WireConnection } from "./connection.ts";
import { environment } from "./environment.ts";
import type { RpcClient, RpcMethods } from "./net_rpc.ts";
import { RemoteUi, serveUi } from "./ui.ts";
import { fields, streamId, string } from "./values.ts";

/** baler's names of hooks, and Packer's. Packer runs nothing for a name that it does not know. */
const NAMES: readonly (readonly [baler: string, packer: string])[] = [
  [HOOK_PROVISION, "packer_provision"],
  [HOOK_CLEANUP_PROVISION, "packer_cleanup_provision"],
];

/**
 * Serves a hook.
 *
 * @param hook The hook.
 * @param connection The connection that it is served on.
 * @param methods Gets the methods.
 */
export function serveHook(
  hook: Hook,
  connection: WireConnection,
  methods: RpcMethods,
): void {
  const running = new Set<AbortController>();
  methods.set("Hook.Run", async (argument) => {
    const { Name, Data, StreamId } = fields(argument);
    const name = string(Name);
    const client = await connection.dial(streamId(StreamId));
    const ui = new RemoteUi(client);
    const controller = new AbortController();
    running.add(controller);
    try {
      await hook.run({
        name: NAMES.find(([, packer]) => packer === name)?.[0] ?? name,
        ui,
        communicator: remoteCommunicator(client, connection),
        data: fields(Data),
        signal: controller.signal,
      });
    } finally {
      running.delete(controller);
      await ui.flush();
      client.close();
    }
  });
  methods.set("Hook.Cancel", () => {
    for (const controller of running) controller.abort(cancelled());
  });
}

/** A hook that the other side serves. */
export class RemoteHook implements Hook {
  readonly #client: RpcClient;
  readonly #connection: WireConnection;
  /** What the last run was given for templates, which post-processors want, too. */
  data: Record<string, unknown> | undefined;

  /**
   * @param client Calls what the other side serves.
   * @param connection The connection that it has.
   */
  constructor(client: RpcClient, connection: WireConnection) {
    this.#client = client;
    this.#connection = connection;
  }

  /** Runs the hook, and returns when all that take part are done. */
  async run(
    { name, ui, communicator, data = {}, signal }: HookOptions,
  ): Promise<void> {
    this.data = data;
    const offer = this.#connection.offer(
      provisionMethods(ui, communicator, this.#connection),
    );
    await callCancellable(
      this.#client,
      "Hook",
      signal,
      () =>
        this.#client.call("Hook.Run", {
          Name: NAMES.find(([baler]) => baler === name)?.[1] ?? name,
          Data: { ...commonData(), ...data },
          StreamId: offer.id,
        }),
      offer.dialled,
    );
  }
}

/**
 * What every builder in Go publishes. Provisioners in Go rely on it: without a
 * string as `ConnType`, for example, Packer's ansible dies.
 */
function commonData(): Record<string, unknown> {
  return {
    ...Object.fromEntries(COMMON_DATA.map((name) => [name, ""])),
    Port: 0,
    PackerRunUUID: environment("PACKER_RUN_UUID") ?? "",
  };
}

/**
 * What a hook or a provisioner is given, on one stream.
 *
 * @param communicator Not served where there is none: calls then fail with an error that says so.
 */
export function provisionMethods(
  ui: Ui,
  communicator: Communicator | undefined,
  connection: WireConnection,
): RpcMethods {
  const methods: RpcMethods = new Map();
  serveUi(ui, methods);
  if (communicator !== undefined) {
    serveCommunicator(communicator, connection, methods);
  }
  return methods;
}
