// ssh over a network that fails: connections that are dropped, delayed,
// swallowed and cut; proxies; and a machine that restarts.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  SshCommunicator,
  type SshConfig,
  SshConnectionLostError,
  SshTimeoutError,
} from "../../plugin/builder/mod.ts";
import { type Fault, FlakyProxy, SocksProxy } from "../support/flaky_proxy.ts";
import { skippable } from "../support/programs.ts";
import { noSshd, run, sshConfig, Sshd } from "../support/sshd.ts";

function sshTest(name: string, body: (sshd: Sshd) => Promise<void>): void {
  Deno.test({
    ...skippable(name, noSshd),
    async fn() {
      await using sshd = await Sshd.start();
      await body(sshd);
    },
  });
}

function communicatorAt(
  port: number,
  sshd: Sshd,
  own: Partial<SshConfig> = {},
): SshCommunicator {
  return new SshCommunicator({
    target: { host: "127.0.0.1", port, username: "root" },
    config: sshConfig({ ssh_private_key_file: sshd.key, ...own }),
  });
}

async function output(
  communicator: SshCommunicator,
  command: string,
): Promise<string> {
  let text = "";
  const running = await communicator.start({
    command,
    stdout: new WritableStream({
      write: (chunk) => void (text += new TextDecoder().decode(chunk)),
    }),
  });
  assertEquals(await running.wait(), 0);
  return text;
}

sshTest(
  "ssh connects through a proxy that drops, delays and cuts",
  async (sshd) => {
    const faults: Fault[] = [
      { kind: "drop" },
      { kind: "cut", afterBytes: 1 },
      { kind: "cut", afterBytes: 1_000 },
      { kind: "drop" },
      { kind: "delay", milliseconds: 20 },
    ];
    await using proxy = new FlakyProxy(sshd.port, faults);
    await using communicator = communicatorAt(proxy.port, sshd);
    assertEquals(await output(communicator, "echo through"), "through\n");
    assertEquals(proxy.count, 5);
  },
);

sshTest(
  "ssh tells of a machine that accepts connections and never answers",
  async (sshd) => {
    await using proxy = new FlakyProxy(
      sshd.port,
      Array.from({ length: 100 }, () => ({ kind: "swallow" as const })),
    );
    await using communicator = communicatorAt(proxy.port, sshd, {
      ssh_timeout: 1_000,
    });
    const { message } = await assertRejects(
      () => communicator.connect(),
      SshTimeoutError,
    );
    assertMatch(
      message,
      new RegExp(
        `^Timeout waiting for SSH: root@127\\.0\\.0\\.1:${proxy.port} could not be reached in 1 s \\(1 attempts\\); the last refusal: it did not answer$`,
      ),
    );
  },
);

sshTest(
  "a command whose line is cut fails with its own error, and the next one connects again",
  async (sshd) => {
    await using proxy = new FlakyProxy(sshd.port);
    await using communicator = communicatorAt(proxy.port, sshd);
    const started = Promise.withResolvers<void>();
    const running = await communicator.start({
      command: "echo started; sleep 1000",
      stdout: new WritableStream({ write: () => started.resolve() }),
    });
    await started.promise;
    proxy.cut();
    await assertRejects(
      async () => void await running.wait(),
      SshConnectionLostError,
    );
    assertEquals(await output(communicator, "echo again"), "again\n");
  },
);

for (const method of ["scp", "sftp"]) {
  sshTest(
    `an upload whose line is cut fails, and can be repeated: ${method}`,
    async (sshd) => {
      await using proxy = new FlakyProxy(sshd.port);
      await using communicator = communicatorAt(proxy.port, sshd, {
        ssh_file_transfer_method: method,
      });
      const path = join(sshd.directory, "file");
      let count = 0;
      await assertRejects(() =>
        communicator.upload({
          path,
          source: new ReadableStream({
            pull(controller) {
              controller.enqueue(new Uint8Array(65_536));
              if (++count === 64) proxy.cut();
            },
          }),
        })
      );
      await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
      await communicator.upload({
        path,
        source: ReadableStream.from([new Uint8Array(5)]),
      });
      assertEquals((await Deno.stat(path)).size, 5);
    },
  );
}

sshTest(
  "a command is sent again when the line broke before it had started",
  async (sshd) => {
    await using proxy = new FlakyProxy(sshd.port);
    await using communicator = communicatorAt(proxy.port, sshd);
    await communicator.connect();
    proxy.cut();
    let text = "";
    const running = await communicator.start({
      command: "cat",
      stdin: ReadableStream.from([new TextEncoder().encode("whole")]),
      stdout: new WritableStream({
        write: (chunk) => void (text += new TextDecoder().decode(chunk)),
      }),
    });
    assertEquals(await running.wait(), 0);
    assertEquals(text, "whole");
  },
);

sshTest(
  "ssh goes through a SOCKS5 proxy without another program",
  async (sshd) => {
    for (
      const login of [
        undefined,
        { user: "a user", password: `it's % a "secret"` },
      ]
    ) {
      await using proxy = new SocksProxy(login);
      await using communicator = communicatorAt(sshd.port, sshd, {
        ssh_proxy_host: "127.0.0.1",
        ssh_proxy_port: proxy.port,
        ...(login
          ? {
            ssh_proxy_username: login.user,
            ssh_proxy_password: login.password,
          }
          : {}),
      });
      assertEquals(await output(communicator, "echo through"), "through\n");
      assertEquals(proxy.asked, [`127.0.0.1:${sshd.port}`]);
    }
  },
);

sshTest("the refusal of a SOCKS5 proxy is in the error", async (sshd) => {
  await using proxy = new SocksProxy({ user: "u", password: "p" });
  for (
    const [own, wanted] of [
      [
        { ssh_proxy_username: "u", ssh_proxy_password: "wrong" },
        /refused the username or the password/,
      ],
      [{}, /wants another authentication/],
      [{ ssh_proxy_port: sshd.port }, /does not speak SOCKS5/],
    ] as const
  ) {
    await using communicator = communicatorAt(sshd.port, sshd, {
      ssh_proxy_host: "127.0.0.1",
      ssh_proxy_port: proxy.port,
      ssh_timeout: 3_000,
      ...own,
    });
    const { message } = await assertRejects(
      () => communicator.connect(),
      SshTimeoutError,
    );
    assertMatch(message, wanted);
  }
});

sshTest("ssh logs in with the keys of an agent", async (sshd) => {
  const socket = join(sshd.directory, "agent");
  await using _agent = await Agent.start(socket);
  await run("env", `SSH_AUTH_SOCK=${socket}`, "ssh-add", "-q", sshd.key);
  const before = Deno.env.get("SSH_AUTH_SOCK");
  try {
    Deno.env.set("SSH_AUTH_SOCK", socket);
    await using communicator = communicatorAt(sshd.port, sshd, {
      ssh_private_key_file: "",
      ssh_agent_auth: true,
    });
    // It is forwarded, too.
    assertMatch(
      await output(communicator, "ssh-add -l"),
      /ED25519/,
    );
    await using other = communicatorAt(sshd.port, sshd, {
      ssh_private_key_file: "",
      ssh_agent_auth: true,
      ssh_disable_agent_forwarding: true,
    });
    assertEquals(
      await output(other, 'echo "${SSH_AUTH_SOCK:-none}"'),
      "none\n",
    );
    Deno.env.delete("SSH_AUTH_SOCK");
    await using without = communicatorAt(sshd.port, sshd, {
      ssh_agent_auth: true,
    });
    await assertRejects(
      () => without.connect(),
      SshTimeoutError,
      "SSH_AUTH_SOCK is not",
    );
  } finally {
    if (before === undefined) Deno.env.delete("SSH_AUTH_SOCK");
    else Deno.env.set("SSH_AUTH_SOCK", before);
  }
});

sshTest("ssh logs in with a certificate", async (sshd) => {
  const at = (name: string) => join(sshd.directory, name);
  for (const name of ["ca", "certified"]) {
    await run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", at(name));
  }
  await run(
    "ssh-keygen",
    "-q",
    "-s",
    at("ca"),
    "-I",
    "test",
    "-n",
    "root",
    at("certified.pub"),
  );
  await Deno.rename(at("certified-cert.pub"), at("elsewhere.pub"));
  await sshd.stop();
  await sshd.listen(`TrustedUserCAKeys ${at("ca.pub")}\n`);
  await using communicator = communicatorAt(sshd.port, sshd, {
    ssh_private_key_file: at("certified"),
    ssh_certificate_file: at("elsewhere.pub"),
  });
  assertEquals(await output(communicator, "echo in"), "in\n");
  await using without = communicatorAt(sshd.port, sshd, {
    ssh_private_key_file: at("certified"),
    ssh_handshake_attempts: 1,
  });
  await assertRejects(() => without.connect(), SshTimeoutError);
});

sshTest(
  "ssh offers the ciphers and key exchanges that it is told",
  async (sshd) => {
    await sshd.stop();
    await sshd.listen(
      "Ciphers aes256-ctr\nKexAlgorithms ecdh-sha2-nistp384\n",
    );
    await using communicator = communicatorAt(sshd.port, sshd, {
      ssh_ciphers: ["aes128-ctr", "aes256-ctr"],
      ssh_key_exchange_algorithms: ["ecdh-sha2-nistp384"],
    });
    assertEquals(await output(communicator, "echo in"), "in\n");
    await using none = communicatorAt(sshd.port, sshd, {
      ssh_ciphers: ["aes128-ctr"],
      ssh_handshake_attempts: 1,
    });
    await assertRejects(() => none.connect(), Error, "no matching cipher");
    await using unknown = communicatorAt(sshd.port, sshd, {
      ssh_ciphers: ["rot13"],
    });
    // No attempt can change it, so there is one.
    await assertRejects(() => unknown.connect(), Error, "rot13");
  },
);

sshTest("ssh opens a tunnel from the machine to this side", async (sshd) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port: free } = listener.addr;
  listener.close();
  await using communicator = communicatorAt(sshd.port, sshd, {
    ssh_remote_tunnels: [`${free}:127.0.0.1:${sshd.port}`],
  });
  await communicator.connect();
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: free });
  const banner = new Uint8Array(8);
  await connection.read(banner);
  assertEquals(new TextDecoder().decode(banner), "SSH-2.0-");
});

sshTest(
  "a machine that is silent for ssh_read_write_timeout is lost",
  async (sshd) => {
    await using communicator = communicatorAt(sshd.port, sshd, {
      ssh_keep_alive_interval: 1_000,
      ssh_read_write_timeout: 2_000,
    });
    const started = Promise.withResolvers<void>();
    const running = await communicator.start({
      command: "echo started; sleep 1000",
      stdout: new WritableStream({ write: () => started.resolve() }),
    });
    await started.promise;
    await sshd.freeze();
    await assertRejects(
      async () => void await running.wait(),
      SshConnectionLostError,
    );
  },
);

sshTest(
  "a command that a signal ends has a shell's exit status",
  async (sshd) => {
    await using communicator = communicatorAt(sshd.port, sshd);
    const running = await communicator.start({ command: "kill -9 $$" });
    assertEquals(await running.wait(), 137);
  },
);

/** A running ssh-agent. */
class Agent implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
  }

  static async start(socket: string): Promise<Agent> {
    const process = new Deno.Command("ssh-agent", {
      args: ["-D", "-a", socket],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const agent = new Agent(process);
    // It prints its variables when it listens.
    const reader = process.stdout.getReader();
    assert(!(await reader.read()).done);
    await reader.cancel();
    return agent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
  }
}
