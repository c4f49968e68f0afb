// The process of a plugin of Packer's: started with Packer's cookie, connected to by the address that it
// prints first, and ended with its connection.

import { WireConnection } from "../../plugin/packer_wire/connection.ts";
import { StderrRelay } from "./stderr_relay.ts";

/** By this variable a plugin knows that Packer starts it. */
const COOKIE = {
  PACKER_PLUGIN_MAGIC_COOKIE:
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
};

/** The ports among which a plugin that uses TCP chooses. */
const PORTS = {
  PACKER_PLUGIN_MIN_PORT: "10000",
  PACKER_PLUGIN_MAX_PORT: "25000",
};

/** The API version that this wire speaks. */
const API_MAJOR = "5";
const API_MINOR = "0";

/** How long a process may take to print its address, as in Packer. */
const START_TIMEOUT_MS = 60_000;

/** How long the first line may be. */
const MAX_HELLO_BYTES = 4 * 1024;

/** How long a process may take to exit once its connection is closed. */
const EXIT_TIMEOUT_MS = 2_000;

/** After how long without data a ping is sent, as Go's yamux does. */
const KEEP_ALIVE_MS = 30_000;

/** A plugin's process could not be started, or has ended when it was still needed. */
export class GoProcessError extends Error {
  /** The error's class. */
  override readonly name = "GoProcessError";
}

/** How a process is started. */
export interface GoProcessOptions {
  /** The path of the executable. */
  path: string;
  /** Its arguments. */
  args: readonly string[];
  /** What it is called in errors. */
  name: string;
  /** The prefix of each line of its log. */
  logPrefix: string;
}

/** One process, connected. */
export class GoProcess {
  /** The connection to it. */
  readonly connection: WireConnection;
  readonly #process: Deno.ChildProcess;
  readonly #relay: StderrRelay;
  readonly #name: string;
  #isClosing = false;

  private constructor(
    process: Deno.ChildProcess,
    relay: StderrRelay,
    connection: WireConnection,
    name: string,
  ) {
    this.#process = process;
    this.#relay = relay;
    this.connection = connection;
    this.#name = name;
  }

  /**
   * Starts a process.
   *
   * @param options Which, and how.
   * @throws {GoProcessError} When it cannot be started, or is no plugin of Packer's.
   */
  static async start(
    { path, args, name, logPrefix }: GoProcessOptions,
  ): Promise<GoProcess> {
    let process: Deno.ChildProcess;
    try {
      process = new Deno.Command(path, {
        args: [...args],
        env: { ...COOKIE, ...PORTS },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    } catch (error) {
      throw new GoProcessError(
        `${name} cannot be started: ${(error as Error).message}`,
      );
    }
    const relay = new StderrRelay(process.stderr, logPrefix);
    const timeout = setTimeout(() => kill(process), START_TIMEOUT_MS);
    try {
      const line = await firstLine(process.stdout);
      if (line === undefined) {
        throw new GoProcessError(
          await describeExit(process, relay, name, "before the handshake"),
        );
      }
      const address = parseHello(line, name);
      const connection = new WireConnection(await connect(address), {
        role: "client",
        keepAliveMs: KEEP_ALIVE_MS,
      });
      return new GoProcess(process, relay, connection, name);
    } catch (error) {
      kill(process);
      await process.status;
      if (error instanceof GoProcessError) throw error;
      throw new GoProcessError(
        `${name} cannot be connected to: ${(error as Error).message}`,
      );
    } finally {
      clearTimeout(timeout);
    }
  }

  /**
   * Waits for a call of the process, and tells of its death when that is why the call failed.
   *
   * @param call The call.
   * @param doing What it does, for the error.
   * @throws {GoProcessError} When the process ended before the call was answered.
   */
  async during<T>(call: Promise<T>, doing: string): Promise<T> {
    const result = await Promise.race([
      call.then((value) => ({ value }), (error: unknown) => ({ error })),
      this.connection.ended.then(() => undefined),
    ]);
    if (result !== undefined && "value" in result) return result.value;
    // A call fails in the moment in which its connection does: the process says why.
    if (result === undefined || await this.#hasEnded()) {
      throw new GoProcessError(
        await describeExit(
          this.#process,
          this.#relay,
          this.#name,
          doing,
          await this.connection.ended,
        ),
      );
    }
    throw result.error;
  }

  /** Closes the connection, by which the process exits; one that does not is killed. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const timeout = setTimeout(() => kill(this.#process), EXIT_TIMEOUT_MS);
    await this.connection.close();
    await this.#process.status;
    clearTimeout(timeout);
    await this.#relay.ended;
  }

  async #hasEnded(): Promise<boolean> {
    return await Promise.race([
      this.connection.ended.then(() => true),
      new Promise<false>((resolve) => setTimeout(() => resolve(false), 0)),
    ]);
  }
}

function kill(process: Deno.ChildProcess): void {
  try {
    // It ignores SIGTERM and SIGINT: what it cleans up, it cleans up before Run returns.
    process.kill("SIGKILL");
  } catch {
    // It has ended.
  }
}

/** How a process ended, and what it wrote last. */
async function describeExit(
  process: Deno.ChildProcess,
  relay: StderrRelay,
  name: string,
  doing: string,
  reason?: Error,
): Promise<string> {
  // The connection may have ended first, or alone: a process without one is of no use.
  let wasKilled = false;
  const timeout = setTimeout(() => {
    wasKilled = true;
    kill(process);
  }, EXIT_TIMEOUT_MS);
  const { code, signal } = await process.status;
  clearTimeout(timeout);
  await relay.ended;
  const how = wasKilled
    ? `lost its connection (${
      reason?.message ?? "it did not answer"
    }), and was killed,`
    : signal === null
    ? `exited with code ${code}`
    : `was killed by ${signal}`;
  const lines = relay.lastLines;
  const words = lines.length === 0
    ? ""
    : `\nIt wrote:\n${lines.map((line) => `    ${line}`).join("\n")}`;
  return `${name} ${how} ${doing}${words}`;
}

/** Reads the first line, and drops what follows, as Packer does. */
async function firstLine(
  stdout: ReadableStream<Uint8Array>,
): Promise<string | undefined> {
  const reader = stdout.getReader();
  let text = "";
  const decoder = new TextDecoder();
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) return undefined;
    text += decoder.decode(value, { stream: true });
    if (text.length > MAX_HELLO_BYTES) break;
  }
  reader.releaseLock();
  void stdout.pipeTo(new WritableStream()).catch(() => {});
  return text.split("\n", 1)[0]!.trim();
}

/** Where a plugin listens. */
type Address = { transport: "unix"; path: string } | {
  transport: "tcp";
  hostname: string;
  port: number;
};

/** Reads `5|0|NETWORK|ADDRESS`, or `5|NETWORK|ADDRESS` of the time before Packer 1.7. */
function parseHello(line: string, name: string): Address {
  const parts = line.split("|");
  const minor = parts.length >= 4 ? parts[1] : API_MINOR;
  const [network, address] = parts.length >= 4
    ? [parts[2], parts.slice(3).join("|")]
    : parts.slice(1);
  if (parts[0] !== API_MAJOR || network === undefined || !address) {
    throw new GoProcessError(
      /^\d+\|/.test(line)
        ? `${name} speaks version ${
          parts[0]
        } of Packer's plugin protocol; baler speaks ${API_MAJOR}`
        : `${name} is no plugin of Packer's: it printed ${
          JSON.stringify(line.slice(0, 200))
        }`,
    );
  }
  if (minor !== API_MINOR) {
    throw new GoProcessError(
      `${name} speaks version ${API_MAJOR}.${minor} of Packer's plugin protocol; baler speaks ${API_MAJOR}.${API_MINOR}`,
    );
  }
  if (network === "unix") return { transport: "unix", path: address };
  const [, hostname, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  if (network !== "tcp" || hostname === undefined) {
    throw new GoProcessError(
      `${name} listens at an address that baler does not know: ${line}`,
    );
  }
  return { transport: "tcp", hostname, port: Number(port) };
}

function connect(address: Address): Promise<Deno.Conn> {
  return address.transport === "unix"
    ? Deno.connect({ transport: "unix", path: address.path })
    : Deno.connect(address);
}
