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

/** An instance of a class: a field that it does not have is an error in a template. */
class TemplateFields {
  readonly HTTPIP: string;
  readonly HTTPPort: number;
  readonly HTTPDir: string;
  readonly HTTPContent: Readonly<Record<string, string>>;
  readonly OutputDir: string;
  readonly Name: string;
  readonly SSHHostPort: number;
  readonly SSHPublicKey: string;
  readonly EncodedSSHPublicKey: string;

  constructor({ name, directory, config, ...sources }: TemplateSources) {
    const { hostAddress = "", httpPort = 0, sshPort = 0, publicKey = "" } =
      sources;
    this.HTTPIP = hostAddress;
    this.HTTPPort = httpPort;
    this.HTTPDir = config.http_directory ?? "";
    this.HTTPContent = config.http_content ?? {};
    this.OutputDir = directory;
    this.Name = name;
    this.SSHHostPort = sshPort;
    this.SSHPublicKey = publicKey;
    this.EncodedSSHPublicKey = encodeURIComponent(publicKey);
  }
}

/**
 * The fields of the builder's templates.
 *
 * @param sources Where the values come from.
 */
export function templateFields(
  sources: TemplateSources,
): Record<string, unknown> {
  return new TemplateFields(sources) as unknown as Record<string, unknown>;
}
