// The step of a builder that makes a temporary key pair for its machine.

import { TemporaryKeyPair } from "./ssh/key_pair.ts";
import type { SshConfig } from "./ssh/ssh_options.ts";
import type { Step } from "./steps.ts";

/** What the step adds to the state of a run. */
export interface KeyPairState {
  /** The temporary key pair; none where the template has other credentials. */
  keys?: TemporaryKeyPair;
}

/**
 * The step that makes a temporary key pair, where the template gives neither a
 * password nor a key nor an agent.
 *
 * @param config The configuration.
 */
export function keyPairStep(config: SshConfig): Step<KeyPairState> {
  return {
    name: "StepSSHKeyGen",
    run: async (state, { ui }) => {
      const { ssh_password, ssh_private_key_file, ssh_agent_auth } = config;
      if (ssh_password || ssh_private_key_file || ssh_agent_auth) return;
      const type = config.temporary_key_pair_type || "rsa";
      await ui.say(`Creating temporary ${type.toUpperCase()} SSH key`);
      state.keys = await TemporaryKeyPair.create({
        type,
        bits: config.temporary_key_pair_bits,
        name: config.temporary_key_pair_name,
      });
    },
    cleanup: async ({ keys }) => await keys?.[Symbol.asyncDispose](),
  };
}
