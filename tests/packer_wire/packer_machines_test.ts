// Communicators across languages: Packer's ssh used by a TypeScript provisioner,
// and a TypeScript communicator used by Packer's ansible provisioner.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { missing, NOT_LINUX } from "../support/programs.ts";
import { peer } from "../peers/peers.ts";
import { forEachPacker } from "./packers.ts";
import { pattern, sha256 } from "./support.ts";

/** An sshd on a loopback port that lets this user in with a key of its own. */
async function startSshd(directory: string) {
  const keygen = async (name: string) => {
    const { success } = await new Deno.Command("ssh-keygen", {
      args: [
        "-q",
        "-t",
        "ecdsa",
        "-N",
        "",
        "-m",
        "PEM",
        "-f",
        `${directory}/${name}`,
      ],
    }).output();
    assert(success);
  };
  await keygen("host_key");
  await keygen("user_key");
  const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr as Deno.NetAddr;
  probe.close();
  await Deno.writeTextFile(
    `${directory}/sshd_config`,
    [
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${directory}/host_key`,
      `AuthorizedKeysFile ${directory}/user_key.pub`,
      "PidFile none",
      "StrictModes no",
      "UsePAM no",
      "PermitRootLogin yes",
      "Subsystem sftp internal-sftp",
      // What Packer 1.6 has.
      "PubkeyAcceptedAlgorithms +ssh-rsa",
      "",
    ].join("\n"),
  );
  await Deno.mkdir("/run/sshd", { recursive: true });
  const process = new Deno.Command("/usr/sbin/sshd", {
    args: ["-D", "-e", "-f", `${directory}/sshd_config`],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const reader = process.stderr.pipeThrough(new TextDecoderStream())
    .getReader();
  for (let text = ""; !text.includes("listening");) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`sshd ended: ${text}`);
    text += value;
  }
  void (async () => {
    while (!(await reader.read()).done);
  })();
  return {
    port,
    async [Symbol.asyncDispose]() {
      process.kill("SIGTERM");
      await process.status;
    },
  };
}

const noSsh = NOT_LINUX ?? missing("ssh", "sshd") ??
  (Deno.uid() === 0 ? undefined : "sshd needs root");

await forEachPacker(
  "a TypeScript provisioner uses Packer's ssh",
  async (run) => {
    await using sshd = await startSshd(run.path);
    const content = pattern(8_000_000);
    await Deno.writeFile(run.at("big"), content);
    const { greet } = run.names;
    const { code, output, log } = await run.build({
      builders: [{
        type: "null",
        communicator: "ssh",
        ssh_host: "127.0.0.1",
        ssh_port: sshd.port,
        ssh_username: "root",
        ssh_private_key_file: `${run.path}/user_key`,
      }],
      provisioners: [
        {
          type: greet,
          text: "over {{build `ConnType`}} to {{build `Host`}}",
          then: "run",
        },
        { type: greet, text: "x", then: "copy", file: run.at("big") },
      ],
    });
    assertEquals(code, 0, output + log);
    assertStringIncludes(output, "greeting over ssh to 127.0.0.1");
    assertStringIncludes(output, "ran 7 fed wrong");
    const hash = await sha256(content);
    assertEquals(await sha256(await Deno.readFile(run.at("big.there"))), hash);
    assertEquals(await sha256(await Deno.readFile(run.at("big.back"))), hash);
    assertEquals((await Deno.stat(run.at("big.there"))).mode! & 0o777, 0o750);
  },
  { reason: noSsh },
);

const ansible = await peer("plugin-ansible");

await forEachPacker(
  "Packer's ansible uses a TypeScript communicator",
  async (run) => {
    await run.installAnsible(ansible.path);
    await run.write(
      "play.yml",
      `
- hosts: all
  gather_facts: true
  tasks:
    - copy: { content: "from ansible on {{ ansible_system }}", dest: "${
        run.at("copied")
      }" }
    - command: echo played
      register: played
    - debug: { var: played.stdout }
`,
    );
    const { code, output, log } = await run.build({
      builders: [{ type: run.names.machine }],
      provisioners: [{
        type: "ansible",
        playbook_file: "play.yml",
        user: "root",
        ansible_env_vars: [
          "ANSIBLE_REMOTE_TEMP=/tmp/.ansible-baler",
          "ANSIBLE_NOCOLOR=1",
          "ANSIBLE_HOST_KEY_CHECKING=False",
          // Packer's proxy offers no other key, which newer OpenSSH refuses.
          "ANSIBLE_SSH_ARGS=-o HostKeyAlgorithms=+ssh-rsa -o PubkeyAcceptedAlgorithms=+ssh-rsa -o UserKnownHostsFile=/dev/null",
        ],
        extra_arguments: [
          "--extra-vars",
          "ansible_python_interpreter=/usr/bin/python3",
          // Packer's proxy does not tell OpenSSH 9 that its transfer by sftp is done.
          "--scp-extra-args=-O",
        ],
      }],
    });
    assertEquals(code, 0, output + log);
    assertStringIncludes(output, '"played.stdout": "played"');
    assertEquals(
      await Deno.readTextFile(run.at("copied")),
      "from ansible on Linux",
    );
  },
  {
    // Packer 1.6 has it built in.
    wanted: ({ name, isOldStyle }) =>
      name === "1.6.6" || (!isOldStyle && ansible.path !== undefined),
    reason: missing("ansible", "ssh"),
  },
);
