// The options of a builder that reaches its machine by ssh: Packer's names and
// defaults, to be spread into a builder's own `options`.
// Source: https://developer.hashicorp.com/packer/docs/communicators/ssh

import type { ConfigOf, Options } from "../../contract/options.ts";
import type { ConfigProblem } from "../../contract/config_error.ts";

/** Packer's options for ssh. */
export const sshOptions = {
  ssh_host: {
    type: "string",
    description:
      "The machine's address. Most builders find it out by themselves.",
  },
  ssh_port: { type: "number", default: 22, description: "The port of sshd." },
  ssh_username: { type: "string", description: "The user to log in as." },
  ssh_password: {
    type: "string",
    description: "The user's password, where keys are not enough.",
  },
  ssh_private_key_file: {
    type: "string",
    description: "The path of a private key without a passphrase.",
  },
  ssh_certificate_file: {
    type: "string",
    description: "The path of the certificate that belongs to the private key.",
  },
  ssh_agent_auth: {
    type: "boolean",
    default: false,
    description: "Use the keys of the ssh agent (`SSH_AUTH_SOCK`).",
  },
  ssh_disable_agent_forwarding: {
    type: "boolean",
    default: false,
    description: "Do not forward the ssh agent to the machine.",
  },
  ssh_pty: {
    type: "boolean",
    default: false,
    description: "Run commands in a pseudo terminal.",
  },
  ssh_timeout: {
    type: "duration",
    default: 300_000,
    description: "How long to try until ssh works.",
  },
  ssh_wait_timeout: {
    type: "duration",
    description: "The former name of `ssh_timeout`.",
  },
  ssh_handshake_attempts: {
    type: "number",
    default: 10,
    description:
      "How often the handshake may fail once the machine answers; 0 for the default.",
  },
  ssh_keep_alive_interval: {
    type: "duration",
    default: 5_000,
    description: "How often to send a keep-alive; negative for never.",
  },
  ssh_read_write_timeout: {
    type: "duration",
    default: 0,
    description:
      "How long the machine may be silent before the connection counts as lost; 0 for OpenSSH's own limit.",
  },
  ssh_ciphers: {
    type: "strings",
    description: "The ciphers to offer, by OpenSSH's names.",
  },
  ssh_key_exchange_algorithms: {
    type: "strings",
    description: "The key exchange algorithms to offer, by OpenSSH's names.",
  },
  ssh_file_transfer_method: {
    type: "string",
    default: "scp",
    description:
      "How files are copied: `scp` (by shell commands; the machine needs no scp) or `sftp` (by sshd's subsystem).",
  },
  ssh_local_tunnels: {
    type: "strings",
    description:
      "Ports of this machine that lead to the other side, as `8080:host:80`.",
  },
  ssh_remote_tunnels: {
    type: "strings",
    description:
      "Ports of the machine that lead to this side, as `8080:host:80`.",
  },
  ssh_clear_authorized_keys: {
    type: "boolean",
    default: false,
    description:
      "Remove the temporary key from the machine's authorized_keys when the build ends.",
  },
  ssh_keypair_name: {
    type: "string",
    description: "The name of a key pair that the builder's platform has.",
  },
  temporary_key_pair_name: {
    type: "string",
    description: "The name of the temporary key pair.",
  },
  temporary_key_pair_type: {
    type: "string",
    description:
      "The type of the temporary key pair: `rsa`, `ecdsa` or `ed25519`.",
  },
  temporary_key_pair_bits: {
    type: "number",
    description: "The length of the temporary key, in bits.",
  },
  ssh_bastion_host: {
    type: "string",
    description: "A host to go through.",
  },
  ssh_bastion_port: {
    type: "number",
    default: 22,
    description: "The port of the bastion's sshd.",
  },
  ssh_bastion_username: {
    type: "string",
    description: "The user on the bastion.",
  },
  ssh_bastion_password: {
    type: "string",
    description: "That user's password.",
  },
  ssh_bastion_interactive: {
    type: "boolean",
    default: false,
    description: "Ask for the bastion's password.",
  },
  ssh_bastion_private_key_file: {
    type: "string",
    description: "The path of a private key for the bastion.",
  },
  ssh_bastion_certificate_file: {
    type: "string",
    description: "The path of the certificate that belongs to it.",
  },
  ssh_bastion_agent_auth: {
    type: "boolean",
    default: false,
    description: "Use the keys of the ssh agent for the bastion.",
  },
  ssh_proxy_host: {
    type: "string",
    description: "A SOCKS5 proxy to go through; needs bash on this machine.",
  },
  ssh_proxy_port: {
    type: "number",
    default: 1080,
    description: "The proxy's port.",
  },
  ssh_proxy_username: {
    type: "string",
    description: "The user for the proxy.",
  },
  ssh_proxy_password: {
    type: "string",
    description: "That user's password.",
  },
  pause_before_connecting: {
    type: "duration",
    default: 0,
    description:
      "How long to wait after the first connection before the one that is used.",
  },
} as const satisfies Options;

/** What a builder gets of {@linkcode sshOptions}. */
export type SshConfig = ConfigOf<typeof sshOptions>;

/** The options that each builder has which reaches its machine by a communicator. */
export const communicatorOptions = {
  communicator: {
    type: "string",
    default: "ssh",
    oneOf: ["ssh", "none"],
    description: "How provisioners reach the machine: `ssh` or `none`.",
  },
  ...sshOptions,
} as const satisfies Options;

/** What a builder gets of {@linkcode communicatorOptions}. */
export type CommunicatorConfig = ConfigOf<typeof communicatorOptions>;

// [ADDRESS:]PORT:HOST:PORT, with IPv6 addresses in brackets.
const TUNNEL =
  /^(?:\[[^\]]+\]:|[^:[\]]+:)?(\d{1,5}):(?:\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/;

const MAX_PORT = 65_535;

/**
 * Checks what one option alone cannot tell.
 *
 * @param config The configuration.
 * @param needsUser Whether the builder has no way to find a user by itself.
 * @returns Every problem, with its path.
 */
export async function sshProblems(
  config: SshConfig,
  needsUser = true,
): Promise<ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  const problem = (key: keyof SshConfig, message: string) =>
    problems.push({ path: [key], message });
  if (needsUser && !config.ssh_username) {
    problem("ssh_username", "an ssh_username must be specified");
  }
  const keys = ["ssh_private_key_file"];
  if (config.ssh_bastion_host && !config.ssh_bastion_agent_auth) {
    keys.push("ssh_bastion_private_key_file");
  }
  for (const key of keys as (keyof SshConfig)[]) {
    const why = await keyProblem(config[key] as string | undefined);
    if (why) problem(key, `${key} is invalid: ${why}`);
  }
  for (
    const key of [
      "ssh_certificate_file",
      "ssh_bastion_certificate_file",
    ] as const
  ) {
    const { error } = await readKey(config[key]);
    if (error) problem(key, `${key} is invalid: ${error}`);
  }
  const method = config.ssh_file_transfer_method;
  if (!["", "scp", "sftp"].includes(method)) {
    problem(
      "ssh_file_transfer_method",
      `ssh_file_transfer_method ('${method}') is invalid, valid methods: sftp, scp`,
    );
  }
  for (
    const key of ["ssh_port", "ssh_bastion_port", "ssh_proxy_port"] as const
  ) {
    if (!isPort(config[key])) {
      problem(key, `${config[key]} is not a port; ports are 1 to ${MAX_PORT}`);
    }
  }
  for (const key of ["ssh_local_tunnels", "ssh_remote_tunnels"] as const) {
    for (const [index, tunnel] of (config[key] ?? []).entries()) {
      const [, from, to] = TUNNEL.exec(tunnel) ?? [];
      if (!isPort(Number(from)) || !isPort(Number(to))) {
        problems.push({
          path: [key, index],
          message:
            `${key} ('${tunnel}') is invalid: write it as PORT:HOST:PORT`,
        });
      }
    }
  }
  if (config.ssh_bastion_host) {
    if (config.ssh_proxy_host) {
      problem(
        "ssh_proxy_host",
        "please specify either ssh_bastion_host or ssh_proxy_host, not both",
      );
    }
    if (
      !config.ssh_bastion_agent_auth && !config.ssh_bastion_password &&
      !config.ssh_bastion_private_key_file && !config.ssh_private_key_file
    ) {
      problem(
        "ssh_bastion_host",
        "ssh_bastion_password or ssh_bastion_private_key_file must be specified, or ssh_bastion_agent_auth",
      );
    }
  }
  return problems;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= MAX_PORT;
}

async function readKey(
  path: string | undefined,
): Promise<{ text?: string; error?: string }> {
  if (!path) return {};
  try {
    return { text: await Deno.readTextFile(expandHome(path)) };
  } catch (error) {
    return {
      error: error instanceof Deno.errors.NotFound
        ? `stat ${path}: no such file or directory`
        : `cannot read ${path}: ${(error as Error).message}`,
    };
  }
}

/** Why a file cannot be used as a private key; nothing when it can, or when there is no file. */
async function keyProblem(
  path: string | undefined,
): Promise<string | undefined> {
  const { text, error } = await readKey(path);
  if (text === undefined) return error;
  const pem = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----([^-]*)/.exec(text);
  if (pem === null) return `no key found in ${path}`;
  const [, kind, body] = pem;
  if (/^ENCRYPTED/.test(kind!) || /Proc-Type:.*ENCRYPTED/.test(body!)) {
    return `${path} has a passphrase; use a key without one, or ssh_agent_auth`;
  }
  if (kind === "OPENSSH PRIVATE KEY" && isEncrypted(body!)) {
    return `${path} has a passphrase; use a key without one, or ssh_agent_auth`;
  }
}

/** Whether a key of OpenSSH's own format names a cipher. */
function isEncrypted(base64: string): boolean {
  try {
    // "openssh-key-v1\0", and the cipher's name behind its length.
    return !atob(base64.replace(/\s/g, "").slice(0, 64)).includes(
      "\0\0\0\x04none",
    );
  } catch {
    return false;
  }
}

/**
 * A path with `~/` for this user's home directory.
 *
 * @param path The path.
 */
export function expandHome(path: string): string {
  if (path !== "~" && !path.startsWith("~/")) return path;
  return `${Deno.env.get("HOME") ?? "~"}${path.slice(1)}`;
}
