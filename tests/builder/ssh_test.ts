// The communicator "ssh", against OpenSSH's sshd on loopback.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import type { Communicator } from "../../plugin/contract/communicator.ts";
import {
  clearAuthorizedKeysStep,
  connectStep,
  runSteps,
  SshCommunicator,
  type SshConfig,
  SshConnectionLostError,
  sshProblems,
  SshTimeoutError,
} from "../../plugin/builder/mod.ts";
import { noSshd, run, sshConfig, Sshd } from "../support/sshd.ts";
import { RecordingUi } from "../support/recording_ui.ts";
import { skippable } from "../support/programs.ts";

function sshTest(
  name: string,
  body: (sshd: Sshd) => Promise<void>,
  extra?: string,
): void {
  Deno.test({
    ...skippable(name, noSshd),
    async fn() {
      await using sshd = await Sshd.start(extra);
      await body(sshd);
    },
  });
}

function communicatorOf(
  sshd: Sshd,
  own: Partial<SshConfig> = {},
): SshCommunicator {
  return new SshCommunicator({
    target: { host: "127.0.0.1", port: sshd.port, username: "root" },
    config: sshConfig({ ssh_private_key_file: sshd.key, ...own }),
  });
}

async function output(
  communicator: SshCommunicator,
  command: string,
  stdin?: string,
): Promise<{ status: number; stdout: string; stderr: string }> {
  const texts = ["", ""];
  const sink = (index: 0 | 1) => {
    const decoder = new TextDecoder();
    return new WritableStream<Uint8Array>({
      write: (chunk) => void (texts[index] += decoder.decode(chunk)),
    });
  };
  const running = await communicator.start({
    command,
    stdout: sink(0),
    stderr: sink(1),
    ...(stdin === undefined
      ? {}
      : { stdin: ReadableStream.from([new TextEncoder().encode(stdin)]) }),
  });
  const status = await running.wait();
  return { status, stdout: texts[0]!, stderr: texts[1]! };
}

sshTest(
  "ssh runs commands, with their streams and exit status",
  async (sshd) => {
    await using communicator = communicatorOf(sshd);
    assertEquals(
      await output(communicator, "cat; echo err >&2; exit 3", "in"),
      { status: 3, stdout: "in", stderr: "err\n" },
    );
    assertEquals((await output(communicator, "exit 255")).status, 255);
    assertEquals(
      await output(communicator, `printf '%s|' "it's" '$HOME' 'a\nb'`),
      { status: 0, stdout: "it's|$HOME|a\nb|", stderr: "" },
    );
  },
);

sshTest("ssh copies files and directories", async (sshd) => {
  await using communicator = communicatorOf(sshd);
  const here = await Deno.makeTempDir();
  try {
    const content = crypto.getRandomValues(new Uint8Array(65536));
    const parts = Array.from({ length: 64 }, () => content);
    await communicator.upload({
      path: join(here, "up"),
      source: ReadableStream.from(parts),
      size: 64 * 65536,
      mode: 0o640,
    });
    const up = await Deno.readFile(join(here, "up"));
    assertEquals(up.length, 64 * 65536);
    assertEquals(up.subarray(-65536), content);
    let length = 0;
    await communicator.download({
      path: join(here, "up"),
      destination: new WritableStream({
        write: (chunk: Uint8Array) => void (length += chunk.length),
      }),
    });
    assertEquals(length, 64 * 65536);
    await Deno.mkdir(join(here, "d"));
    await Deno.writeTextFile(join(here, "d/f"), "f");
    await communicator.uploadDir({
      source: join(here, "d"),
      destination: join(here, "to"),
    });
    assertEquals(await Deno.readTextFile(join(here, "to/d/f")), "f");
    await communicator.downloadDir({
      source: join(here, "to/*"),
      destination: join(here, "back"),
    });
    assertEquals(await Deno.readTextFile(join(here, "back/d/f")), "f");
  } finally {
    await Deno.remove(here, { recursive: true });
  }
});

sshTest("ssh ends a cancelled command with all it started", async (sshd) => {
  await using communicator = communicatorOf(sshd);
  const abort = new AbortController();
  const pids = Promise.withResolvers<number[]>();
  let text = "";
  const running = await communicator.start({
    command: "sleep 1000 & trap '' TERM; echo $! $$; while :; do wait; done",
    stdout: new WritableStream({
      write(chunk) {
        text += new TextDecoder().decode(chunk);
        if (text.endsWith("\n")) {
          pids.resolve(text.trim().split(" ").map(Number));
        }
      },
    }),
    signal: abort.signal,
  });
  const started = await pids.promise;
  abort.abort(new Error("cancelled"));
  await assertRejects(async () => await running.wait(), Error, "cancelled");
  for (const pid of started) {
    const state = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
    assert(
      state === "" || state.includes(") Z"),
      `${pid} still runs: ${state}`,
    );
  }
});

sshTest(
  "ssh says that a connection was lost, and connects again",
  async (sshd) => {
    await using communicator = communicatorOf(sshd);
    const started = Promise.withResolvers<void>();
    const running = await communicator.start({
      command: "echo started; sleep 1000",
      stdout: new WritableStream({ write: () => started.resolve() }),
    });
    await started.promise;
    await sshd.stop();
    await assertRejects(
      async () => await running.wait(),
      SshConnectionLostError,
      "the ssh connection was lost",
    );
    await sshd.listen();
    assertEquals((await output(communicator, "echo again")).stdout, "again\n");
  },
);

Deno.test({
  ...skippable("ssh waits for a machine that is not there yet", noSshd),
  async fn() {
    await using sshd = await Sshd.make();
    await using communicator = communicatorOf(sshd);
    const connected = communicator.connect();
    await sshd.listen();
    await connected;
  },
});

Deno.test({
  ...skippable(
    "ssh tells the address, the attempts and the last refusal",
    noSshd,
  ),
  async fn() {
    await using sshd = await Sshd.make();
    await using communicator = communicatorOf(sshd, { ssh_timeout: 1500 });
    const { message } = await assertRejects(
      () => communicator.connect(),
      SshTimeoutError,
    );
    assertMatch(
      message,
      new RegExp(
        `^Timeout waiting for SSH: root@127\\.0\\.0\\.1:${sshd.port} could not be reached in 1\\.5 s \\(\\d+ attempts\\); the last refusal: .*Connection refused`,
      ),
    );
  },
});

sshTest("ssh gives up after so many failed handshakes", async (sshd) => {
  await using communicator = communicatorOf(sshd, {
    ssh_private_key_file: join(sshd.directory, "host_key"),
    ssh_handshake_attempts: 2,
  });
  const { message } = await assertRejects(
    () => communicator.connect(),
    SshTimeoutError,
  );
  assertMatch(message, /the handshake failed 2 times; .*Permission denied/);
});

sshTest("ssh stops waiting when it is aborted", async () => {
  await using sshd = await Sshd.make();
  await using communicator = communicatorOf(sshd);
  const abort = new AbortController();
  const connected = communicator.connect(abort.signal);
  abort.abort(new Error("cancelled"));
  await assertRejects(() => connected, Error, "cancelled");
});

sshTest("ssh goes through a bastion with a key of its own", async (sshd) => {
  await using bastion = await Sshd.start();
  await using communicator = communicatorOf(sshd, {
    ssh_bastion_host: "127.0.0.1",
    ssh_bastion_port: bastion.port,
    ssh_bastion_private_key_file: bastion.key,
  });
  assertEquals(
    (await output(communicator, "echo through")).stdout,
    "through\n",
  );
  await bastion.stop();
  await assertRejects(async () => {
    const running = await communicator.start({ command: "sleep 1" });
    await running.wait();
  });
});

sshTest("ssh logs in with a password", async (sshd) => {
  const user = `baler-test-${Deno.pid}`;
  const hash = (await run("openssl", "passwd", "-6", "it's a secret")).trim();
  await run("useradd", "-M", "-N", "-s", "/bin/sh", "-p", hash, user);
  try {
    await using communicator = new SshCommunicator({
      target: { host: "127.0.0.1", port: sshd.port, username: user },
      config: sshConfig({ ssh_password: "it's a secret" }),
    });
    assertEquals((await output(communicator, "id -un")).stdout, `${user}\n`);
    await using other = new SshCommunicator({
      target: { host: "127.0.0.1", port: sshd.port, username: user },
      config: sshConfig({ ssh_password: "wrong", ssh_handshake_attempts: 1 }),
    });
    await assertRejects(() => other.connect(), Error, "Permission denied");
  } finally {
    await run("userdel", user);
  }
});

sshTest("ssh gives commands a terminal", async (sshd) => {
  await using communicator = communicatorOf(sshd, { ssh_pty: true });
  const { stdout } = await output(communicator, "test -t 0 && echo terminal");
  assertMatch(stdout, /^terminal\r?\n$/);
});

sshTest("ssh opens tunnels", async (sshd) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const free = (listener.addr as Deno.NetAddr).port;
  listener.close();
  await using communicator = communicatorOf(sshd, {
    ssh_local_tunnels: [`${free}:127.0.0.1:${sshd.port}`],
  });
  await communicator.connect();
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: free });
  const banner = new Uint8Array(8);
  await connection.read(banner);
  assertEquals(new TextDecoder().decode(banner), "SSH-2.0-");
});

sshTest("the temporary key is removed from authorized_keys", async (sshd) => {
  await Deno.mkdir(join(sshd.home, ".ssh"));
  const keys = join(sshd.home, ".ssh", "authorized_keys");
  await Deno.writeTextFile(keys, "ssh-rsa AAA a.key\nssh-rsa BBB axkey\n");
  const settings = sshConfig({
    ssh_private_key_file: sshd.key,
    ssh_clear_authorized_keys: true,
    temporary_key_pair_name: "a.key",
  });
  const ui = new RecordingUi();
  await runSteps<{ communicator?: Communicator }>(
    [
      connectStep({
        config: settings,
        target: () => ({
          host: "127.0.0.1",
          port: sshd.port,
          username: "root",
        }),
      }),
      clearAuthorizedKeysStep({ config: settings }),
    ],
    {},
    {
      ui,
      signal: new AbortController().signal,
      build: { debug: false, onError: "cleanup" },
    },
  );
  assertEquals(await Deno.readTextFile(keys), "ssh-rsa BBB axkey\n");
  assertEquals(
    await Array.fromAsync(
      Deno.readDir(join(sshd.home, ".ssh")),
      ({ name }) => name,
    ),
    ["authorized_keys"],
  );
  assertEquals(ui.lines, [
    "say: Using ssh communicator to connect: 127.0.0.1",
    "say: Waiting for SSH to become available...",
    "say: Connected to SSH!",
    "say: Trying to remove ephemeral keys from authorized_keys files",
  ]);
});

Deno.test("sshProblems() tells every problem with its key", async () => {
  const problems = await sshProblems(sshConfig({
    ssh_private_key_file: "/no/such/key",
    ssh_file_transfer_method: "ftp",
    ssh_local_tunnels: ["80"],
    ssh_bastion_host: "b",
    ssh_proxy_host: "p",
  }));
  assertEquals(problems.map(({ path }) => path.join(".")), [
    "ssh_username",
    "ssh_private_key_file",
    "ssh_file_transfer_method",
    "ssh_local_tunnels.0",
    "ssh_proxy_host",
  ]);
});
