// The command lines of OpenSSH's client. Nothing of the person's own
// configuration or known hosts is used: a machine that is being built has a key
// that nobody has seen.

import { join } from "@std/path";
import { shellQuote } from "../../common/shell_quote.ts";
import { expandHome, type SshConfig } from "./ssh_options.ts";

/** How long one attempt to connect may take, in seconds. */
const CONNECT_TIMEOUT_S = 10;

/** Where and as whom to log in. */
export interface SshTarget {
  /** The machine's address. */
  host: string;
  /** The port of sshd. */
  port: number;
  /** The user. */
  username: string;
  /** The path of a private key that the builder made, beside the configured one. */
  privateKeyFile?: string;
}

/** A command and its environment. */
export interface SshCommand {
  argv: string[];
  env: Record<string, string>;
}

/**
 * The command that opens the connection which all others share.
 *
 * @param target Where to log in.
 * @param config The configuration.
 * @param directory A private directory for the control socket and the files of
 * secrets.
 * @returns The command. It prints a line when the connection is there, and runs
 * as long as the connection lasts.
 */
export async function masterCommand(
  target: SshTarget,
  config: SshConfig,
  directory: string,
): Promise<SshCommand> {
  checkHost(target.host);
  if (config.ssh_bastion_host) checkHost(config.ssh_bastion_host);
  const keepAlive = config.ssh_keep_alive_interval;
  const silence = config.ssh_read_write_timeout;
  const interval = Math.max(1, Math.round(keepAlive / 1000));
  const argv = [
    "ssh",
    "-M",
    "-N",
    "-S",
    controlPath(directory),
    ...login({
      username: target.username,
      port: target.port,
      password: config.ssh_password,
      keys: [
        config.ssh_private_key_file,
        target.privateKeyFile,
      ],
      certificate: config.ssh_certificate_file,
      usesAgent: config.ssh_agent_auth,
    }),
    ...option("PermitLocalCommand", "yes"),
    ...option("LocalCommand", "echo connected"),
    ...option("ExitOnForwardFailure", "yes"),
    ...option(
      "ForwardAgent",
      forwardsAgent(config) ? "yes" : "no",
    ),
    ...option("ServerAliveInterval", keepAlive < 0 ? "0" : String(interval)),
    ...(silence > 0 && keepAlive > 0
      ? option(
        "ServerAliveCountMax",
        String(Math.max(1, Math.ceil(silence / 1000 / interval))),
      )
      : []),
    ...list("Ciphers", config.ssh_ciphers),
    ...list("KexAlgorithms", config.ssh_key_exchange_algorithms),
    ...(config.ssh_local_tunnels ?? []).flatMap((tunnel) => ["-L", tunnel]),
    ...await proxy(target, config, directory),
    target.host,
  ];
  return {
    argv,
    env: await askpass(directory, "password", config.ssh_password),
  };
}

/**
 * Whether commands on the machine can use the ssh agent.
 *
 * @param config The configuration.
 */
export function forwardsAgent(config: SshConfig): boolean {
  return config.ssh_agent_auth && !config.ssh_disable_agent_forwarding;
}

/**
 * The command that has a port of the machine lead to this side. Unlike an option
 * of the first command it ends when the machine has agreed.
 *
 * @param target The machine.
 * @param directory The directory of the connection.
 * @param tunnel The ports, as `8080:host:80`.
 */
export function remoteTunnelCommand(
  { host }: SshTarget,
  directory: string,
  tunnel: string,
): string[] {
  return ["ssh", ...shared(directory), "-O", "forward", "-R", tunnel, host];
}

/**
 * A command on the machine, over the connection that is there.
 *
 * @param target Where it runs.
 * @param directory The directory of the connection.
 * @param command The command line.
 * @param options Whether it gets a terminal, and whether it reads anything.
 */
export function sessionCommand(
  { host, username }: SshTarget,
  directory: string,
  command: string,
  { pty = false, hasStdin = false, forwardsAgent = false }: {
    pty?: boolean;
    hasStdin?: boolean;
    forwardsAgent?: boolean;
  } = {},
): string[] {
  return [
    "ssh",
    ...shared(directory),
    "-l",
    username,
    pty ? "-tt" : "-T",
    ...(forwardsAgent ? ["-A"] : []),
    ...(hasStdin ? [] : ["-n"]),
    host,
    command,
  ];
}

/**
 * The command that speaks to a subsystem of sshd, over the connection that is there.
 *
 * @param target Where it is.
 * @param directory The directory of the connection.
 * @param name Its name, for example `sftp`.
 */
export function subsystemCommand(
  { host, username }: SshTarget,
  directory: string,
  name: string,
): string[] {
  return ["ssh", ...shared(directory), "-l", username, "-T", "-s", host, name];
}

/**
 * The command that asks whether the connection is still there.
 *
 * @param target Where it leads.
 * @param directory The directory of the connection.
 */
export function checkCommand(
  { host }: SshTarget,
  directory: string,
): string[] {
  return ["ssh", ...shared(directory), "-O", "check", host];
}

/** Options for a client that uses the connection, and never makes one of its own. */
export function shared(directory: string): string[] {
  return [
    "-F",
    "none",
    "-S",
    controlPath(directory),
    ...option("ControlMaster", "no"),
    ...option("BatchMode", "yes"),
    ...option("ProxyCommand", "false"),
    ...option("LogLevel", "ERROR"),
  ];
}

function controlPath(directory: string): string {
  return join(directory, "control");
}

/**
 * Refuses what is no host: one that begins with `-` would be an option of ssh,
 * and ssh puts it into the command line of its ProxyCommand.
 */
function checkHost(host: string): void {
  if (/^[\p{L}\p{N}_.:[\]][\p{L}\p{N}_.:%[\]-]*$/u.test(host)) return;
  throw new Error(
    `${JSON.stringify(host)} is not the name or address of a host`,
  );
}

function option(name: string, value: string): string[] {
  return ["-o", `${name}=${value}`];
}

function list(name: string, values: readonly string[] | undefined): string[] {
  return values?.length ? option(name, values.join(",")) : [];
}

interface Login {
  username: string | undefined;
  port: number;
  password: string | undefined;
  keys: readonly (string | undefined)[];
  certificate: string | undefined;
  usesAgent: boolean;
}

function login(
  { username, port, password, keys, certificate, usesAgent }: Login,
): string[] {
  const files = keys.filter((key) => key !== undefined && key !== "");
  return [
    "-F",
    "none",
    "-p",
    String(port),
    ...(username ? ["-l", username] : []),
    ...option("ConnectTimeout", String(CONNECT_TIMEOUT_S)),
    ...option("StrictHostKeyChecking", "no"),
    ...option("UserKnownHostsFile", "/dev/null"),
    ...option("GlobalKnownHostsFile", "/dev/null"),
    ...option("LogLevel", "INFO"),
    ...option("NumberOfPasswordPrompts", "1"),
    ...option("IdentitiesOnly", usesAgent ? "no" : "yes"),
    ...(usesAgent ? [] : option("IdentityAgent", "none")),
    // Without this, OpenSSH tries the person's own default keys.
    ...(files.length > 0
      ? files.flatMap((key) => option("IdentityFile", expandHome(key!)))
      : option("IdentityFile", "none")),
    ...(certificate ? option("CertificateFile", expandHome(certificate)) : []),
    ...option("BatchMode", password ? "no" : "yes"),
    ...option(
      "PreferredAuthentications",
      [
        "publickey",
        ...(password ? ["keyboard-interactive", "password"] : []),
      ].join(","),
    ),
  ];
}

async function proxy(
  target: SshTarget,
  config: SshConfig,
  directory: string,
): Promise<string[]> {
  if (config.ssh_proxy_host) {
    const { socksCommand } = await import("./socks_command.ts");
    return option("ProxyCommand", await socksCommand(config, directory));
  }
  if (!config.ssh_bastion_host) return [];
  const env = await askpass(directory, "bastion", config.ssh_bastion_password);
  const words = [
    ...(Object.keys(env).length > 0
      ? [
        "env",
        ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      ]
      : []),
    "ssh",
    ...login({
      username: config.ssh_bastion_username ?? target.username,
      port: config.ssh_bastion_port,
      password: config.ssh_bastion_password,
      keys: [
        config.ssh_bastion_private_key_file ?? config.ssh_private_key_file,
      ],
      certificate: config.ssh_bastion_certificate_file,
      usesAgent: config.ssh_bastion_agent_auth,
    }),
  ].map((word) => shellQuote(word).replaceAll("%", "%%"));
  return option(
    "ProxyCommand",
    [...words, "-W", "%h:%p", shellQuote(config.ssh_bastion_host)].join(" "),
  );
}

/** A program that ssh runs to get a password, and where it gets it from. */
async function askpass(
  directory: string,
  name: string,
  password: string | undefined,
): Promise<Record<string, string>> {
  if (!password) return {};
  const secret = join(directory, name);
  const program = join(directory, `${name}.sh`);
  await Deno.writeTextFile(secret, `${password}\n`, { mode: 0o600 });
  await Deno.writeTextFile(
    program,
    `#!/bin/sh\nexec cat ${shellQuote(secret)}\n`,
    { mode: 0o700 },
  );
  return { SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: "force", DISPLAY: ":0" };
}
