// The steps of a builder that reaches its machine by ssh: a temporary key pair,
// the connection, and the removal of the key from the machine.

import type { Ui } from "../contract/ui.ts";
import { TemporaryKeyPair } from "./ssh/key_pair.ts";
import type { SshTarget } from "./ssh/open_ssh.ts";
import { SshCommunicator } from "./ssh/ssh_communicator.ts";
import type { SshConfig } from "./ssh/ssh_options.ts";
import { shellQuote } from "../common/shell_quote.ts";
import type { Step } from "./steps.ts";

/** What the steps of ssh add to the state of a run. */
export interface SshState {
  /** The temporary key pair; none where the template has other credentials. */
  keys?: TemporaryKeyPair;
  /** The connection to the machine. */
  communicator?: SshCommunicator;
}

/**
 * The step that makes a temporary key pair, where the template gives neither a
 * password nor a key nor an agent.
 *
 * @param config The configuration.
 */
export function keyPairStep(config: SshConfig): Step<SshState> {
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

/** What {@linkcode connectStep} needs. */
export interface ConnectOptions<State> {
  /** The configuration. */
  config: SshConfig;
  /** The address of the machine, once the steps before have started it. */
  address: (state: State) => { host: string; port: number };
  /** Resolves with the reason when the machine has ended: no connection is waited for then. */
  ended?: (state: State) => Promise<Error>;
  /** Shows where the machine stands, when it cannot be reached. */
  onFailure?: (state: State, ui: Ui) => Promise<void>;
}

/**
 * The step that connects, and tries again until it works or `ssh_timeout` is
 * over.
 *
 * @param options Where to, and what to do when it does not work.
 */
export function connectStep<State extends SshState>(
  { config, address, ended, onFailure }: ConnectOptions<State>,
): Step<State> {
  return {
    name: "StepConnect",
    run: async (state, { ui, signal }) => {
      const target: SshTarget = {
        ...address(state),
        username: config.ssh_username!,
        ...(state.keys ? { privateKeyFile: state.keys.privateKeyFile } : {}),
      };
      await ui.say(
        `Waiting for SSH to become available at ${target.host}:${target.port}...`,
      );
      state.communicator = new SshCommunicator({ target, config });
      const stop = new AbortController();
      void ended?.(state).then((reason) => stop.abort(reason));
      try {
        await state.communicator.connect(
          AbortSignal.any([signal, stop.signal]),
        );
      } catch (error) {
        if (!signal.aborted) await onFailure?.(state, ui);
        throw error;
      }
      await ui.say("Connected to SSH!");
    },
    cleanup: async ({ communicator }) =>
      await communicator?.[Symbol.asyncDispose](),
  };
}

/**
 * The step that removes the temporary key from the machine's authorized_keys,
 * where `ssh_clear_authorized_keys` is set. A machine on which that fails is
 * none the worse: nobody has the private key when the build has ended.
 *
 * @param config The configuration.
 */
export function clearAuthorizedKeysStep(config: SshConfig): Step<SshState> {
  return {
    name: "StepCleanupTempKeys",
    run: async ({ keys, communicator }, { ui, signal }) => {
      if (!config.ssh_clear_authorized_keys || !keys || !communicator) return;
      await ui.say("Removing the temporary key from authorized_keys");
      const line = keys.publicKey.split(" ")[1]!;
      const remove = (sudo: string, file: string) =>
        `! ${sudo}grep -qF ${shellQuote(line)} ${file} 2>/dev/null || ` +
        `${sudo}sed -i ${shellQuote(`\\|${line}|d`)} ${file}`;
      const { wait } = await communicator.start({
        command: `${remove("", "~/.ssh/authorized_keys")}; ` +
          `[ "$(id -u)" = 0 ] || ! command -v sudo >/dev/null || ` +
          `{ ${remove("sudo -n ", "/root/.ssh/authorized_keys")}; }`,
        signal,
      });
      if (await wait() !== 0) {
        await ui.error("The temporary key is still in authorized_keys.");
      }
    },
  };
}
