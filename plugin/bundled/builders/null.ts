// The builder null makes nothing. It exists for its provisioners.

import type { Artifact } from "../../contract/artifact.ts";
import type { BuildContext } from "../../contract/build_context.ts";
import type {
  Builder,
  BuilderRunOptions,
  PrepareOptions,
  PrepareResult,
} from "../../contract/builder.ts";
import { ConfigError } from "../../contract/config_error.ts";
import type {
  ConfigOf,
  Option,
  Options,
  OptionTypes,
} from "../../contract/options.ts";
import { serveBuilder } from "../../sdk/serve.ts";
import { warnOfBackground } from "../../builder/communicators/background_warning.ts";
import { LocalCommunicator } from "../../builder/communicators/local.ts";
import { NoneCommunicator } from "../../builder/communicators/none.ts";
import { provision } from "./provision_step.ts";
import { runUuid } from "../shared/run_uuid.ts";

// Declared, so that the error for a template with ssh names the communicators that
// there are, instead of unknown keys.
const OPTIONS_OF_OTHER_COMMUNICATORS = {
  boolean: [
    "ssh_agent_auth",
    "ssh_bastion_agent_auth",
    "ssh_bastion_interactive",
    "ssh_clear_authorized_keys",
    "ssh_disable_agent_forwarding",
    "ssh_pty",
    "winrm_insecure",
    "winrm_no_proxy",
    "winrm_use_ntlm",
    "winrm_use_ssl",
  ],
  duration: [
    "pause_before_connecting",
    "ssh_keep_alive_interval",
    "ssh_read_write_timeout",
    "ssh_timeout",
    "ssh_wait_timeout",
    "winrm_timeout",
  ],
  number: [
    "ssh_bastion_port",
    "ssh_handshake_attempts",
    "ssh_port",
    "ssh_proxy_port",
    "temporary_key_pair_bits",
    "winrm_port",
  ],
  string: [
    "ssh_bastion_certificate_file",
    "ssh_bastion_host",
    "ssh_bastion_password",
    "ssh_bastion_private_key_file",
    "ssh_bastion_username",
    "ssh_certificate_file",
    "ssh_file_transfer_method",
    "ssh_host",
    "ssh_keypair_name",
    "ssh_password",
    "ssh_private_key_file",
    "ssh_proxy_host",
    "ssh_proxy_password",
    "ssh_proxy_username",
    "ssh_username",
    "temporary_key_pair_name",
    "temporary_key_pair_type",
    "winrm_host",
    "winrm_password",
    "winrm_username",
  ],
  strings: [
    "ssh_ciphers",
    "ssh_key_exchange_algorithms",
    "ssh_local_tunnels",
    "ssh_remote_tunnels",
  ],
} as const satisfies Partial<Record<keyof OptionTypes, readonly string[]>>;

const options = {
  ...Object.fromEntries(
    Object.entries(OPTIONS_OF_OTHER_COMMUNICATORS).flatMap(([type, keys]) =>
      keys.map((key) => [key, {
        type: type as keyof typeof OPTIONS_OF_OTHER_COMMUNICATORS,
        description: "An option of a communicator that baler does not have.",
      }])
    ),
  ) as Readonly<
    Record<
      typeof OPTIONS_OF_OTHER_COMMUNICATORS[
        keyof typeof OPTIONS_OF_OTHER_COMMUNICATORS
      ][
        number
      ],
      Option
    >
  >,
  communicator: {
    type: "string",
    description:
      "How provisioners reach the machine: `none` (there is no machine) or `local` (this machine).",
  },
} as const satisfies Options;

/** Makes nothing. */
export default class NullBuilder implements Builder<ConfigOf<typeof options>> {
  /** Its options. */
  readonly options: typeof options = options;
  #communicator!: "none" | "local";
  #build!: BuildContext;

  /** Checks the communicator. */
  prepare(
    { config, build }: PrepareOptions<ConfigOf<typeof options>>,
  ): PrepareResult {
    const { communicator, ...others } = config;
    this.#build = build;
    if (communicator !== "none" && communicator !== "local") {
      const wanted = communicator
        ? `"${communicator}"`
        : `"ssh" (Packer's default)`;
      throw new ConfigError([{
        path: ["communicator"],
        message: `the communicator ${wanted} is not in this baler; ` +
          'set "communicator" to "none" (there is no machine) or ' +
          '"local" (provisioners work on this machine)',
      }]);
    }
    this.#communicator = communicator;
    return {
      warnings: Object.keys(others).map((key) =>
        `"${key}" does nothing with the communicator "${communicator}"`
      ),
      generatedData: communicator === "local"
        ? [...PUBLISHED, "Host", "ConnType"]
        : [...PUBLISHED],
    };
  }

  /** Runs the provisioners. */
  async run({ ui, hook, signal }: BuilderRunOptions): Promise<Artifact> {
    const { onError, workingDirectory } = this.#build;
    const data = {
      ID: "Null",
      PackerRunUUID: await runUuid(),
      PackerHTTPAddr: "ERR_HTTP_ADDR_NOT_IMPLEMENTED_BY_BUILDER",
      PackerHTTPIP: "ERR_HTTP_IP_NOT_IMPLEMENTED_BY_BUILDER",
      PackerHTTPPort: "ERR_HTTP_PORT_NOT_IMPLEMENTED_BY_BUILDER",
    };
    const step = { ui, hook, signal, onError };
    if (this.#communicator === "none") {
      const communicator = new NoneCommunicator();
      await provision({ ...step, communicator, data });
    } else {
      await using communicator = new LocalCommunicator({
        workingDirectory,
        onBackground: (members) => warnOfBackground(ui, members),
      });
      await provision({
        ...step,
        communicator,
        data: { ...data, Host: "localhost", ConnType: "local" },
      });
    }
    return new NullArtifact();
  }
}

const PUBLISHED = [
  "ID",
  "PackerRunUUID",
  "PackerHTTPAddr",
  "PackerHTTPIP",
  "PackerHTTPPort",
];

class NullArtifact implements Artifact {
  readonly builderId = "fnoeding.null";
  readonly id = "Null";
  readonly files = [];
  destroy() {}
  toString() {
    return "Did not export anything. This is the null builder";
  }
}

if (import.meta.main) serveBuilder(new NullBuilder());
