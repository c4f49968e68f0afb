// One ssh connection: a client process that stays, and that every command,
// upload and download shares.

import { delay } from "../../common/delay.ts";
import { LocalProcess } from "../../process/local_process.ts";
import {
  checkCommand,
  forwardsAgent,
  masterCommand,
  remoteTunnelCommand,
  sessionCommand,
  type SshTarget,
  subsystemCommand,
} from "./open_ssh.ts";
import { type SshConfig, sshOptions } from "./ssh_options.ts";

/** The pause after the first failed attempt, in milliseconds; it doubles. */
const FIRST_PAUSE_MS = 250;

/** The longest pause between two attempts, in milliseconds. */
const MAX_PAUSE_MS = 2_000;

/** How much of the client's stderr is kept, in characters. */
const MAX_STDERR_CHARS = 4096;

/** What an {@linkcode SshConnection} is made of. */
export interface SshConnectionOptions {
  /** Where to log in. */
  target: SshTarget;
  /** The configuration. */
  config: SshConfig;
}

/** The connection cannot be made. */
export class SshTimeoutError extends Error {
  /** The name of the class. */
  override name = "SshTimeoutError";
}

/** The connection broke while a command ran. */
export class SshConnectionLostError extends Error {
  /** The name of the class. */
  override name = "SshConnectionLostError";
}

/** A connection to one machine. */
export class SshConnection implements AsyncDisposable {
  readonly #options: SshConnectionOptions;
  #directory: string | undefined;
  #master: Master | undefined;
  #connecting: Promise<void> | undefined;

  /**
   * Connects to nothing yet.
   *
   * @param options Where to, and how.
   */
  constructor(options: SshConnectionOptions) {
    this.#options = options;
  }

  /**
   * Connects, and tries again until it works or `ssh_timeout` is over. Returns
   * at once when the connection is there.
   *
   * @param signal Gives up when aborted.
   * @throws {SshTimeoutError} With the address, the number of attempts and the
   * last refusal.
   */
  connect(signal?: AbortSignal): Promise<void> {
    if (this.#master?.isAlive) return Promise.resolve();
    return this.#connecting ??= this.#connect(signal).finally(() => {
      this.#connecting = undefined;
    });
  }

  /**
   * The command line that runs a command on the machine.
   *
   * @param command The command, for the user's shell.
   * @param options Whether it gets a terminal, and whether it reads anything.
   */
  session(
    command: string,
    options?: { pty?: boolean; hasStdin?: boolean },
  ): string[] {
    return sessionCommand(
      this.#options.target,
      this.#directory!,
      command,
      { ...options, forwardsAgent: forwardsAgent(this.#options.config) },
    );
  }

  /**
   * The command line that speaks to a subsystem of sshd.
   *
   * @param name Its name.
   */
  subsystem(name: string): string[] {
    return subsystemCommand(this.#options.target, this.#directory!, name);
  }

  /** Whether the connection is still there; asks the client process. */
  async check(): Promise<boolean> {
    if (!this.#master?.isAlive) return false;
    const { success } = await run(
      checkCommand(this.#options.target, this.#directory!),
    );
    return success;
  }

  /** Ends the connection; the next {@linkcode connect} makes another one. */
  async close(): Promise<void> {
    const master = this.#master;
    this.#master = undefined;
    await master?.[Symbol.asyncDispose]();
  }

  /** Ends the connection, and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    if (this.#directory !== undefined) {
      await Deno.remove(this.#directory, { recursive: true }).catch(() => {});
    }
  }

  async #connect(signal: AbortSignal | undefined): Promise<void> {
    const { target, config } = this.#options;
    const timeout = config.ssh_wait_timeout || config.ssh_timeout ||
      sshOptions.ssh_timeout.default;
    const maxHandshakes = config.ssh_handshake_attempts ||
      sshOptions.ssh_handshake_attempts.default;
    const address = `${target.username}@${target.host}:${target.port}`;
    if (config.ssh_agent_auth && !hasAgent()) {
      throw new SshTimeoutError(
        `cannot log in to ${address}: ssh_agent_auth is set, and SSH_AUTH_SOCK is not; start an ssh agent`,
      );
    }
    const limit = AbortSignal.timeout(timeout);
    const both = signal ? AbortSignal.any([signal, limit]) : limit;
    this.#directory ??= await Deno.makeTempDir({ prefix: "baler-ssh-" });
    let refusal = "";
    let handshakes = 0;
    for (let attempts = 1, pause = FIRST_PAUSE_MS;; attempts++) {
      const master = await this.#attempt(both);
      if (master instanceof Master) {
        this.#master = master;
        return;
      }
      signal?.throwIfAborted();
      refusal = master || refusal;
      if (isPermanent(refusal)) {
        throw new SshTimeoutError(
          `cannot connect to ${address}: ${refusal}`,
        );
      }
      if (isHandshakeFailure(refusal)) handshakes++;
      if (handshakes >= maxHandshakes) {
        throw new SshTimeoutError(
          `cannot log in to ${address}: the handshake failed ${handshakes} times; the last refusal: ${refusal}`,
        );
      }
      if (!limit.aborted) await delay(pause, both).catch(() => {});
      signal?.throwIfAborted();
      if (limit.aborted) {
        throw new SshTimeoutError(
          `Timeout waiting for SSH: ${address} could not be reached in ${
            timeout / 1000
          } s (${attempts} attempts); the last refusal: ${
            refusal || "it did not answer"
          }`,
        );
      }
      pause = Math.min(pause * 2, MAX_PAUSE_MS);
    }
  }

  /** One attempt; returns why it failed. */
  async #attempt(signal: AbortSignal): Promise<Master | string> {
    const { target, config } = this.#options;
    const { argv, env } = await masterCommand(
      target,
      config,
      this.#directory!,
    );
    await Deno.remove(`${this.#directory}/control`).catch(() => {});
    const master = new Master(argv, env);
    try {
      const failure = await master.ready(signal) ?? await this.#openTunnels();
      if (failure === undefined) return master;
      await master[Symbol.asyncDispose]();
      return failure;
    } catch {
      await master[Symbol.asyncDispose]();
      return "";
    }
  }

  /** Opens the ports of the machine; returns the reason when it refuses one. */
  async #openTunnels(): Promise<string | undefined> {
    const { target, config } = this.#options;
    for (const tunnel of config.ssh_remote_tunnels ?? []) {
      const [program, ...args] = remoteTunnelCommand(
        target,
        this.#directory!,
        tunnel,
      );
      const { success, stderr } = await new Deno.Command(program!, {
        args,
        stdin: "null",
        stdout: "null",
      }).output();
      if (!success) {
        return `ssh_remote_tunnels ${tunnel}: ${
          lastLines(new TextDecoder().decode(stderr)) || "refused"
        }`;
      }
    }
  }
}

/** The client process that holds the connection. */
class Master implements AsyncDisposable {
  readonly #process: LocalProcess;
  readonly #connected = Promise.withResolvers<void>();
  readonly #ended: Promise<void>;
  #stderr = "";
  isAlive = true;

  constructor(argv: string[], env: Record<string, string>) {
    const decoder = new TextDecoder();
    this.#process = new LocalProcess({
      argv,
      env,
      stdout: new WritableStream({
        write: () => this.#connected.resolve(),
      }),
      stderr: new WritableStream({
        write: (chunk) => {
          this.#stderr =
            (this.#stderr + decoder.decode(chunk, { stream: true }))
              .slice(-MAX_STDERR_CHARS);
        },
      }),
    });
    this.#ended = this.#process.wait().then(() => {}, () => {}).then(() => {
      this.isAlive = false;
    });
  }

  /** Waits for the connection; returns the reason when there will be none. */
  async ready(signal: AbortSignal): Promise<string | undefined> {
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    aborted.promise.catch(() => {});
    try {
      return await Promise.race([
        this.#connected.promise.then(() => undefined),
        this.#ended.then(() => lastLines(this.#stderr)),
        aborted.promise,
      ]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}

/** What the client said last, without what every line of it begins with. */
function lastLines(text: string): string {
  const lines = text.split(/\r?\n/).map((line) =>
    line.trim().replace(/^ssh: /, "")
  ).filter((line) => line !== "" && !/^Pseudo-terminal|^Warning:/.test(line));
  // What a proxy or a bastion says comes before what the client makes of it.
  const reasons = lines.filter((line) =>
    !/^kex_exchange_identification:| UNKNOWN port |^banner exchange/.test(line)
  );
  return (reasons.length > 0 ? reasons : lines).slice(-2).join("; ");
}

/** Whether the client refuses its own options, which no further attempt changes. */
function isPermanent(refusal: string): boolean {
  return /^command-line|bad ssh2|bad configuration option|no supported authentication methods|executable file not found/i
    .test(refusal);
}

/** Whether there is an agent; without the permission to look, ssh looks itself. */
function hasAgent(): boolean {
  const name = "SSH_AUTH_SOCK";
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state !== "granted" || Boolean(Deno.env.get(name));
}

/** Whether the machine answered, and then refused. */
function isHandshakeFailure(refusal: string): boolean {
  return /permission denied|no matching|too many authentication|host key|kex_exchange|bad (server|packet)|protocol/i
    .test(refusal) && !/connection (refused|reset|closed)/i.test(refusal);
}

/** Runs a program of this machine, without its output. */
export async function run(
  argv: string[],
): Promise<{ success: boolean; code: number }> {
  const [program, ...args] = argv;
  const { success, code } = await new Deno.Command(program!, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  return { success, code };
}
