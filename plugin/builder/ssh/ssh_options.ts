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
      "How often the handshake may fail once the machine answers; 0 for no limit.",
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
      "How files are copied: `scp` (through a shell command) or `sftp`.",
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
  ssh_proxy_host: { type: "string", description: "A SOCKS5 proxy." },
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

const TUNNEL =
  /^(?:\[[^\]]+\]:|[^:[\]]+:)?\d{1,5}:(?:\[[^\]]+\]|[^:[\]]+):\d{1,5}$/;

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
    problem("ssh_username", '"ssh_username" must be given');
  }
  for (
    const key of [
      "ssh_private_key_file",
      "ssh_certificate_file",
      "ssh_bastion_private_key_file",
      "ssh_bastion_certificate_file",
    ] as const
  ) {
    const path = config[key];
    if (!path) continue;
    try {
      const text = await Deno.readTextFile(expandHome(path));
      if (/^-----BEGIN .*ENCRYPTED|^Proc-Type:.*ENCRYPTED/m.test(text)) {
        problem(
          key,
          `the private key ${path} has a passphrase; use a key without one, or ssh_agent_auth`,
        );
      }
    } catch (error) {
      problem(key, `cannot read ${path}: ${(error as Error).message}`);
    }
  }
  if (!["scp", "sftp"].includes(config.ssh_file_transfer_method)) {
    problem(
      "ssh_file_transfer_method",
      `must be "scp" or "sftp", not "${config.ssh_file_transfer_method}"`,
    );
  }
  for (const key of ["ssh_local_tunnels", "ssh_remote_tunnels"] as const) {
    for (const [index, tunnel] of (config[key] ?? []).entries()) {
      if (!TUNNEL.test(tunnel)) {
        problems.push({
          path: [key, index],
          message: `"${tunnel}" is not a tunnel; write it as PORT:HOST:PORT`,
        });
      }
    }
  }
  if (config.ssh_bastion_host) {
    if (config.ssh_proxy_host) {
      problem(
        "ssh_proxy_host",
        "ssh_bastion_host and ssh_proxy_host cannot be used together",
      );
    }
    if (
      !config.ssh_bastion_agent_auth && !config.ssh_bastion_password &&
      !config.ssh_bastion_interactive && !config.ssh_bastion_private_key_file &&
      !config.ssh_private_key_file
    ) {
      problem(
        "ssh_bastion_host",
        "a bastion needs ssh_bastion_password, ssh_bastion_private_key_file, ssh_bastion_agent_auth or ssh_bastion_interactive",
      );
    }
  }
  return problems;
}

/**
 * A path with `~/` for this user's home directory.
 *
 * @param path The path.
 */
export function expandHome(path: string): string {
  return path.startsWith("~/")
    ? `${Deno.env.get("HOME") ?? "~"}${path.slice(1)}`
    : path;
}
