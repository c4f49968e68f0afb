// A proxy on loopback between a client and a server, which drops, delays, cuts and
// swallows connections; and a SOCKS5 proxy.

/** What a {@linkcode FlakyProxy} does to a connection. */
export type Fault =
  /** Accepts it and closes it at once. */
  | { kind: "drop" }
  /** Accepts it and never answers. */
  | { kind: "swallow" }
  /** Forwards each chunk this many milliseconds later. */
  | { kind: "delay"; milliseconds: number }
  /** Closes it when the server has sent this many bytes. */
  | { kind: "cut"; afterBytes: number };

/** A proxy in front of one port. */
export class FlakyProxy implements AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
  /** What it does to the next connections, in order; nothing once the list is empty. */
  readonly faults: Fault[];
  /** How many connections it has accepted. */
  count = 0;
  readonly #listener: Deno.TcpListener;
  readonly #target: number;
  readonly #open = new Set<Deno.Conn>();
  readonly #done: Promise<void>;

  /**
   * Listens.
   *
   * @param target The port that it leads to.
   * @param faults What it does to the first connections.
   */
  constructor(target: number, faults: Fault[] = []) {
    this.#target = target;
    this.faults = faults;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#done = this.#accept();
  }

  /** Cuts all connections. */
  cut(): void {
    for (const connection of this.#open) close(connection);
    this.#open.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#done;
  }

  async #accept(): Promise<void> {
    const connections: Promise<void>[] = [];
    try {
      for await (const client of this.#listener) {
        this.count++;
        this.#open.add(client);
        connections.push(this.#serve(client, this.faults.shift()));
      }
    } catch { /* It was closed. */ }
    await Promise.all(connections);
  }

  async #serve(client: Deno.Conn, fault: Fault | undefined): Promise<void> {
    if (fault?.kind === "drop") return close(client);
    if (fault?.kind === "swallow") return;
    const server = await Deno.connect({
      hostname: "127.0.0.1",
      port: this.#target,
    });
    this.#open.add(server);
    let left = fault?.kind === "cut" ? fault.afterBytes : Infinity;
    const delay = fault?.kind === "delay" ? fault.milliseconds : 0;
    await Promise.all([
      copy(client, server, delay, () => true),
      copy(server, client, delay, (length) => (left -= length) > 0),
    ]);
  }
}

/** A SOCKS5 proxy with CONNECT, and with a username and a password where they are given. */
export class SocksProxy implements AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
  /** What it was asked to connect to, as `HOST:PORT`. */
  readonly asked: string[] = [];
  readonly #listener: Deno.TcpListener;
  readonly #login: { user: string; password: string } | undefined;
  readonly #open = new Set<Deno.Conn>();
  readonly #done: Promise<void>;

  constructor(login?: { user: string; password: string }) {
    this.#login = login;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#done = this.#accept();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) close(connection);
    await this.#done;
  }

  async #accept(): Promise<void> {
    const connections: Promise<void>[] = [];
    try {
      for await (const client of this.#listener) {
        this.#open.add(client);
        connections.push(
          this.#serve(client).catch(() => {}).finally(() => close(client)),
        );
      }
    } catch { /* It was closed. */ }
    await Promise.all(connections);
  }

  async #serve(client: Deno.Conn): Promise<void> {
    const take = async (length: number) => {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length;) {
        const count = await client.read(bytes.subarray(at));
        if (count === null) throw new Error("it ended");
        at += count;
      }
      return bytes;
    };
    const text = async () =>
      new TextDecoder().decode(await take((await take(1))[0]!));
    const [, methods] = await take(2);
    const offered = await take(methods!);
    const method = this.#login ? 2 : 0;
    if (!offered.includes(method)) {
      return void await client.write(Uint8Array.of(5, 0xff));
    }
    await client.write(Uint8Array.of(5, method));
    if (this.#login) {
      await take(1);
      const isRight = await text() === this.#login.user &&
        await text() === this.#login.password;
      await client.write(Uint8Array.of(1, isRight ? 0 : 1));
      if (!isRight) return;
    }
    await take(4);
    const host = await text();
    const [high, low] = await take(2);
    const port = high! * 256 + low!;
    this.asked.push(`${host}:${port}`);
    let server: Deno.Conn;
    try {
      server = await Deno.connect({ hostname: host, port });
    } catch {
      return void await client.write(
        Uint8Array.of(5, 5, 0, 1, 0, 0, 0, 0, 0, 0),
      );
    }
    this.#open.add(server);
    await client.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
    await Promise.all([
      copy(client, server, 0, () => true),
      copy(server, client, 0, () => true),
    ]);
  }
}

async function copy(
  from: Deno.Conn,
  to: Deno.Conn,
  delay: number,
  goesOn: (length: number) => boolean,
): Promise<void> {
  const buffer = new Uint8Array(16_384);
  try {
    for (;;) {
      const count = await from.read(buffer);
      if (count === null || !goesOn(count)) break;
      if (delay > 0) await new Promise((done) => setTimeout(done, delay));
      for (let at = 0; at < count;) {
        at += await to.write(buffer.subarray(at, count));
      }
    }
  } catch { /* It was cut. */ }
  close(from);
  close(to);
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch { /* It is closed already. */ }
}
