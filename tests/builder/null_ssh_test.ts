// Builder null over ssh, by the same templates as Packer and against the same
// sshd: what is shown, what is on the machine, and the exit code.

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { Workspace } from "../support/harness.ts";
import { missing, skippable } from "../support/programs.ts";
import { noSshd, Sshd } from "../support/sshd.ts";

interface Case {
  name: string;
  /** Options of the builder beside the address, the user and the key. */
  builder?: Record<string, unknown>;
  provisioners: (remote: string) => unknown[];
  /** The flags of `build`. */
  flags?: string[];
  /** Whether the lines are the same; otherwise the exit code alone is. */
  hasSameLines?: boolean;
  /** What both must show. */
  shows: RegExp;
}

const CASES: Case[] = [
  {
    name: "inline commands, their streams and variables",
    provisioners: () => [{
      type: "shell",
      inline: ["echo out", "echo err >&2", 'echo "$A b"'],
      environment_vars: ["A=it's"],
    }],
    hasSameLines: true,
    shows: /it's b/,
  },
  {
    name: "a command that fails",
    provisioners: () => [{ type: "shell", inline: ["exit 7"] }],
    shows: /exit status: 7/,
  },
  {
    name: "a command that a signal ends",
    provisioners: () => [{ type: "shell", inline: ["kill -9 $$"] }],
    shows: /exit status: 137/,
  },
  {
    name: "a machine that restarts",
    provisioners: (remote) => [
      {
        type: "shell",
        inline: [`touch ${remote}/before; kill -9 $PPID_OF_SSHD`],
        environment_vars: [],
        expect_disconnect: true,
      },
      { type: "shell", inline: [`touch ${remote}/after; echo after`] },
    ],
    shows: /after/,
  },
  {
    name: "file provisioners both ways",
    provisioners: (remote) => [
      { type: "file", source: "up.txt", destination: `${remote}/up.txt` },
      { type: "file", source: "tree", destination: remote },
      {
        type: "file",
        direction: "download",
        source: `${remote}/up.txt`,
        destination: "down.txt",
      },
      { type: "shell", inline: [`cat ${remote}/tree/sub/f`] },
    ],
    shows: /in the tree/,
  },
  {
    name: "sftp",
    builder: { ssh_file_transfer_method: "sftp" },
    provisioners: (remote) => [
      { type: "file", source: "up.txt", destination: `${remote}/up.txt` },
      { type: "file", source: "tree", destination: remote },
      { type: "shell", inline: [`cat ${remote}/tree/sub/f`] },
    ],
    shows: /in the tree/,
  },
  {
    name: "a terminal",
    builder: { ssh_pty: true },
    provisioners: () => [{
      type: "shell",
      inline: ["test -t 0 && echo terminal"],
    }],
    shows: /terminal/,
  },
  {
    name: "a pause before connecting",
    builder: { pause_before_connecting: "100ms" },
    provisioners: () => [{ type: "shell", inline: ["echo in"] }],
    hasSameLines: true,
    shows: /Pausing 100ms before connecting\.\.\./,
  },
  {
    name: "the data of the connection",
    provisioners: () => [{
      type: "shell",
      inline: [
        "echo {{build `ID`}} {{build `Host`}} {{build `User`}} {{build `ConnType`}}",
      ],
    }],
    hasSameLines: true,
    shows: /Null 127\.0\.0\.1 root ssh/,
  },
  {
    name: "a key that is refused",
    builder: { ssh_private_key_file: "other_key", ssh_handshake_attempts: 1 },
    provisioners: () => [],
    shows: /unable to authenticate|Permission denied/,
  },
  {
    name: "a port where nobody listens",
    builder: { ssh_port: 1, ssh_timeout: "1s" },
    provisioners: () => [],
    shows: /Timeout waiting for SSH/,
  },
];

const reason = noSshd ?? missing("packer");

for (const one of CASES) {
  Deno.test({
    ...skippable(`null over ssh is as Packer's: ${one.name}`, reason),
    async fn() {
      const baler = await runCase(one, "baler");
      const packer = await runCase(one, "packer");
      assertMatch(baler.text, one.shows);
      assertMatch(packer.text, one.shows);
      assertEquals(baler.code, packer.code, baler.text);
      assertEquals(baler.files, packer.files);
      // stdout and stderr are two pipes: their lines can come in any order.
      const lines = ({ text }: { text: string }) => text.split("\n").sort();
      if (one.hasSameLines) assertEquals(lines(baler), lines(packer));
    },
  });
}

async function runCase(
  one: Case,
  by: "baler" | "packer",
): Promise<{ code: number; text: string; files: string[] }> {
  const workspace = await Workspace.make("source");
  await using _ = { [Symbol.asyncDispose]: () => workspace.clear() };
  await using sshd = await Sshd.start();
  const remote = join(sshd.directory, "remote");
  await Deno.mkdir(remote);
  await Deno.mkdir(join(sshd.home, ".ssh"));
  const keys = join(sshd.home, ".ssh", "authorized_keys");
  await Deno.writeTextFile(keys, "ssh-rsa AAA a.key\nssh-rsa BBB axkey\n");
  await Deno.copyFile(
    join(sshd.directory, "host_key"),
    workspace.at("other_key"),
  );
  await workspace.write("up.txt", "up\n");
  await Deno.mkdir(workspace.at("tree", "sub"), { recursive: true });
  await workspace.write("tree/sub/f", "in the tree\n");
  const provisioners = one.provisioners(remote);
  const text = JSON.stringify({
    builders: [{
      type: "null",
      ssh_host: "127.0.0.1",
      ssh_port: sshd.port,
      ssh_username: "root",
      ssh_private_key_file: sshd.key,
      ...one.builder,
    }],
    provisioners,
  }).replace(
    "kill -9 $PPID_OF_SSHD",
    // The sshd of this connection is above the shells.
    `kill -9 $(ps -o ppid= -p $(ps -o sid= -p $$))`,
  );
  await workspace.write("template.json", text);
  const args = ["build", "-color=false", ...one.flags ?? [], "template.json"];
  const { code, output } = by === "baler"
    ? await workspace.baler(args)
    : await packer(workspace, args);
  if (by === "baler") await workspace.assertNothingLeft();
  const files: string[] = [];
  for await (const path of walk(remote)) files.push(path.slice(remote.length));
  files.push(await Deno.readTextFile(keys));
  return {
    code,
    text: output
      .replaceAll(/\S*\/(packer|baler)-shell[-\w]*/g, "SCRIPT")
      .replaceAll(/after (\d+ \w+ ?)+/g, "after DURATION")
      .replace(/^null: output will be in this color\.\n\n/, ""),
    files: files.sort(),
  };
}

async function* walk(directory: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = join(directory, name);
    yield path;
    if (isDirectory) yield* walk(path);
  }
}

async function packer(
  workspace: Workspace,
  args: string[],
): Promise<{ code: number; output: string }> {
  const { code, stdout, stderr } = await new Deno.Command("packer", {
    args,
    cwd: workspace.path,
    env: { ...workspace.env, CHECKPOINT_DISABLE: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}
