// OpenSSH's sshd on a loopback port, with keys and a configuration of its own.

import { join } from "@std/path";
import { type SshConfig, sshOptions } from "../../plugin/builder/mod.ts";

/** Why there can be no sshd here, or undefined where there can. */
export const noSshd: string | undefined = await (async () => {
  if (Deno.build.os !== "linux") return "needs Linux";
  for (const program of ["/usr/sbin/sshd", "ssh", "ssh-keygen"]) {
    const { success } = await new Deno.Command("sh", {
      args: ["-c", `command -v ${program}`],
      stdout: "null",
    }).output();
    if (!success) return `${program} is not installed`;
  }
  if (Deno.uid() !== 0) return "sshd needs root";
})();

/** A running sshd. */
export class Sshd implements AsyncDisposable {
  readonly directory: string;
  readonly port: number;
  readonly #extra: string;
  #process: Deno.ChildProcess | undefined;

  private constructor(directory: string, port: number, extra: string) {
    this.directory = directory;
    this.port = port;
    this.#extra = extra;
  }

  /** The private key that logs in as root. */
  get key(): string {
    return join(this.directory, "user_key");
  }

  /** The home directory that commands see, without the files of this machine's root. */
  get home(): string {
    return join(this.directory, "home");
  }

  /**
   * Starts one, and returns when it listens.
   *
   * @param extra More lines for its configuration.
   */
  static async start(extra = ""): Promise<Sshd> {
    const sshd = await Sshd.make(extra);
    await sshd.listen();
    return sshd;
  }

  /** Makes its keys and its port, and starts nothing. */
  static async make(extra = ""): Promise<Sshd> {
    const directory = await Deno.makeTempDir({ prefix: "baler-sshd-" });
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    listener.close();
    const sshd = new Sshd(directory, port, extra);
    for (const name of ["host_key", "user_key"]) {
      await run(
        "ssh-keygen",
        "-q",
        "-t",
        "ed25519",
        "-N",
        "",
        "-f",
        join(directory, name),
      );
    }
    await Deno.copyFile(
      join(directory, "user_key.pub"),
      join(directory, "authorized_keys"),
    );
    await Deno.mkdir("/run/sshd", { recursive: true });
    await Deno.mkdir(sshd.home);
    return sshd;
  }

  /**
   * Starts it, and returns when it listens.
   *
   * @param more Lines for its configuration, beside those that it was made with.
   */
  async listen(more = ""): Promise<void> {
    const config = join(this.directory, "config");
    await Deno.writeTextFile(
      config,
      `Port ${this.port}
ListenAddress 127.0.0.1
HostKey ${join(this.directory, "host_key")}
AuthorizedKeysFile ${join(this.directory, "authorized_keys")}
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication yes
Subsystem sftp internal-sftp
MaxStartups 100
MaxSessions 100
SetEnv HOME=${this.home}
${this.#extra}
${more}`,
    );
    this.#process = new Deno.Command("/usr/sbin/sshd", {
      args: ["-D", "-e", "-f", config],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const lines = this.#process.stderr.pipeThrough(new TextDecoderStream())
      .getReader();
    let said = "";
    while (!said.includes("Server listening")) {
      const { done, value } = await lines.read();
      if (done) throw new Error(`sshd ended: ${said}`);
      said += value;
    }
    void (async () => {
      while (!(await lines.read()).done);
    })();
  }

  /** Ends it, with the connections that it has. */
  async stop(): Promise<void> {
    const process = this.#process;
    if (!process) return;
    await this.cut();
    this.#process = undefined;
    process.kill("SIGKILL");
    await process.status;
  }

  /** Stops the processes of its connections, which then answer nothing. */
  async freeze(): Promise<void> {
    for (const pid of await descendants(this.#process!.pid)) {
      Deno.kill(pid, "SIGSTOP");
    }
  }

  /** Ends the connections, as a machine that restarts does. */
  async cut(): Promise<void> {
    if (!this.#process) return;
    for (const pid of await descendants(this.#process.pid)) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch { /* It has ended. */ }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** The processes that a process of ours has started, and theirs. */
async function descendants(pid: number): Promise<number[]> {
  if (pid <= 1) throw new RangeError(`${pid} is no process of ours`);
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
    if (Number(stat.split(") ").at(-1)?.split(" ")[1]) === pid) {
      found.push(Number(name), ...await descendants(Number(name)));
    }
  }
  return found;
}

/**
 * A configuration for a test: the defaults of the options, and what it sets.
 *
 * @param own What it sets.
 */
export function sshConfig(own: Partial<SshConfig>): SshConfig {
  const defaults = Object.fromEntries(
    Object.entries(sshOptions).map(([key, option]) => [
      key,
      "default" in option ? option.default : undefined,
    ]),
  );
  return { ...defaults, ssh_timeout: 20_000, ...own } as SshConfig;
}

/** Runs a program that must succeed. */
export async function run(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
