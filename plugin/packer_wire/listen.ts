// Where a plugin waits for Packer: a unix socket where it may, else a port of
// this machine in the range that Packer asks for.

import { environment } from "./environment.ts";

/** A listener that takes one connection. */
export interface PluginListener {
  /** `unix` or `tcp`, as the hello has it. */
  readonly network: string;
  /** The path, or the host and port. */
  readonly address: string;
  /** Waits for the connection; no other can be made after it. */
  accept(): Promise<Deno.Conn>;
  /** Stops listening, and removes what there is on the disk. */
  close(): void;
}

/** The longest path that every system takes for a socket, in bytes. */
const MAX_PATH_BYTES = 100;

/** The range of ports where Packer does not say. */
const DEFAULT_PORTS = [10_000, 25_000] as const;

/** How many ports are tried. */
const MAX_TRIES = 1000;

/**
 * Listens.
 *
 * @throws {Error} When the plugin may not, or no port is free.
 */
export async function listen(): Promise<PluginListener> {
  return await listenUnix() ?? listenTcp();
}

/** Needs `--allow-net` without a list, and to write to the directory for temporary files. */
async function listenUnix(): Promise<PluginListener | undefined> {
  if (Deno.build.os === "windows") return undefined;
  let directory: string | undefined;
  try {
    // Only this user can look into it.
    directory = await Deno.makeTempDir({ prefix: "packer-plugin-" });
    const path = `${directory}/socket`;
    if (path.length > MAX_PATH_BYTES) throw new Error("too long");
    const listener = Deno.listen({ transport: "unix", path });
    return oneConnection(listener, "unix", path, directory);
  } catch {
    if (directory !== undefined) Deno.removeSync(directory);
    return undefined;
  }
}

function listenTcp(): PluginListener {
  const hostname = "127.0.0.1";
  const first = portOf("PACKER_PLUGIN_MIN_PORT", DEFAULT_PORTS[0]);
  const last = Math.max(
    first,
    portOf("PACKER_PLUGIN_MAX_PORT", DEFAULT_PORTS[1]),
  );
  const count = last - first + 1;
  // Plugins that start together do not try the same ports.
  const start = Math.floor(Math.random() * count);
  for (let index = 0; index < Math.min(count, MAX_TRIES); index++) {
    const port = first + (start + index) % count;
    try {
      const listener = Deno.listen({ hostname, port });
      return oneConnection(listener, "tcp", `${hostname}:${port}`);
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) continue;
      throw new Error(
        `this plugin cannot listen for Packer: ${
          (error as Error).message
        }. Compile it with the permission "net": ["${hostname}"]`,
        { cause: error },
      );
    }
  }
  throw new Error(
    `no port from ${first} to ${last} is free; set PACKER_PLUGIN_MIN_PORT and PACKER_PLUGIN_MAX_PORT`,
  );
}

function portOf(variable: string, usual: number): number {
  const port = Number(environment(variable));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : usual;
}

function oneConnection(
  listener: Deno.Listener,
  network: string,
  address: string,
  directory?: string,
): PluginListener {
  const close = () => {
    listener.close();
    if (directory === undefined) return;
    try {
      Deno.removeSync(directory, { recursive: true });
    } catch {
      // A folder for temporary files is cleaned by the system.
    }
  };
  return {
    network,
    address,
    async accept() {
      const connection = await listener.accept();
      if (network === "tcp") (connection as Deno.TcpConn).setNoDelay();
      close();
      return connection;
    },
    close,
  };
}
