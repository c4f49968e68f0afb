// What the templates of boot_command, kernel_args, qemuargs and cd_content may
// refer to, as in Packer.

import type { QemuConfig } from "./qemu_options.ts";

/** Where the values come from. */
export interface TemplateSources {
  /** The machine's name. */
  readonly name: string;
  /** The absolute path of the output directory. */
  readonly directory: string;
  /** The configuration. */
  readonly config: QemuConfig;
  /** This machine's address, as the machine reaches it. */
  readonly hostAddress?: string | undefined;
  /** The port of the HTTP server. */
  readonly httpPort?: number | undefined;
  /** The port that leads to the machine's sshd. */
  readonly sshPort?: number | undefined;
  /** The temporary public key. */
  readonly publicKey?: string | undefined;
}

/**
 * The fields of the builder's templates.
 *
 * @param sources Where the values come from.
 */
export function templateFields(
  { name, directory, config, publicKey = "", ...sources }: TemplateSources,
): Record<string, unknown> {
  return {
    HTTPIP: sources.hostAddress ?? "",
    HTTPPort: sources.httpPort ?? 0,
    HTTPDir: config.http_directory ?? "",
    HTTPContent: config.http_content ?? {},
    OutputDir: directory,
    Name: name,
    SSHHostPort: sources.sshPort ?? 0,
    SSHPublicKey: publicKey,
    EncodedSSHPublicKey: encodeURIComponent(publicKey),
  };
}
