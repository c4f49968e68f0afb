// A connection of Packer's wire: the objects and streams of bytes that each
// side offers to the other.

import { MuxBroker, type MuxBrokerOptions } from "./broker.ts";
import type { WireLimits } from "./limits.ts";
import { RpcClient, type RpcMethods, serveRpc } from "./net_rpc.ts";
import type { Transport, YamuxStream } from "./yamux.ts";

/** The number of the plugin's component, which the host dials first. */
export const COMPONENT_ID = 0;

/** Methods that one side offers. */
export interface Offer {
  /** The number under which the other side finds them. */
  readonly id: number;
  /** Resolves with whether the other side has dialled the number. It never rejects. */
  readonly dialled: Promise<boolean>;
  /** Resolves when the other side uses them no more, with the reason where that was no regular end. It never rejects. */
  readonly ended: Promise<Error | undefined>;
}

/** One side of a connection. */
export class WireConnection {
  /** The streams under it. */
  readonly broker: MuxBroker;
  readonly #limits: Partial<WireLimits>;
  readonly #end = new AbortController();

  /**
   * Starts the connection.
   *
   * @param transport What it runs over, for example a `Deno.Conn`; closed with it.
   * @param options How it is set up. Packer is the client, its plugin the server.
   */
  constructor(transport: Transport, options: MuxBrokerOptions) {
    this.broker = new MuxBroker(transport, options);
    this.#limits = options.limits ?? {};
    void this.ended.then((reason) => this.#end.abort(reason));
  }

  /** Resolves when the connection has ended, with the reason. It never rejects. */
  get ended(): Promise<Error> {
    return this.broker.session.ended;
  }

  /**
   * Aborts when the connection has ended, with the reason. Unlike a reaction to
   * `ended`, a listener that is removed is no longer held by the connection.
   */
  get endSignal(): AbortSignal {
    return this.#end.signal;
  }

  /**
   * Offers methods under a number of this side's, for one dial in the next 5 s.
   *
   * @param methods What the other side may call.
   * @returns The number, and what becomes of it.
   */
  offer(methods: RpcMethods): Offer {
    const id = this.broker.nextId();
    return { id, ...this.serve(id, methods) };
  }

  /**
   * Serves methods under a number until the other side ends that stream.
   *
   * @param id The number.
   * @param methods What the other side may call.
   * @param timeoutMs How long to wait for its dial; 5 s unless given, 0 for as long as it takes.
   */
  serve(
    id: number,
    methods: RpcMethods,
    timeoutMs?: number,
  ): Omit<Offer, "id"> {
    const stream = this.broker.accept(id, timeoutMs);
    return {
      dialled: stream.then(() => true, () => false),
      ended: stream.then(
        (stream) => serveRpc(stream, methods, this.#limits),
        (error) => error as Error,
      ),
    };
  }

  /**
   * Offers a stream of bytes under a number of this side's.
   *
   * @returns The number; and the stream, once the other side has dialled it in
   * the next 5 s: it rejects otherwise.
   */
  offerStream(): { id: number; stream: Promise<YamuxStream> } {
    const id = this.broker.nextId();
    const stream = this.broker.accept(id);
    stream.catch(() => {});
    return { id, stream };
  }

  /**
   * Connects to methods that the other side offers.
   *
   * @param id Their number.
   * @throws {ConnectionClosedError} When the other side does not accept it.
   */
  async dial(id: number): Promise<RpcClient> {
    return new RpcClient(await this.broker.dial(id), this.#limits);
  }

  /**
   * Connects to a stream of bytes that the other side offers.
   *
   * @param id Its number.
   * @throws {ConnectionClosedError} When the other side does not accept it.
   */
  dialStream(id: number): Promise<YamuxStream> {
    return this.broker.dial(id);
  }

  /** Ends the connection once what was sent is taken. */
  close(): Promise<void> {
    return this.broker.close();
  }
}
