// The step of a builder that connects to the machine, and the one that removes
// the temporary key from it.

import type { Communicator } from "../contract/communicator.ts";
import type { Ui } from "../contract/ui.ts";
import { delay } from "../common/delay.ts";
import { goDuration } from "../common/duration.ts";
import { shellQuote } from "../common/shell_quote.ts";
import type { SshConfig } from "./ssh/ssh_options.ts";
import type { SshTarget } from "./ssh/open_ssh.ts";
import type { SshCommunicator } from "./ssh/ssh_communicator.ts";
import type { Step } from "./steps.ts";

/** What {@linkcode connectStep} needs. */
export interface ConnectOptions<State> {
  /** The builder's configuration. */
  config: SshConfig;
  /** Where to log in, once the steps before have made the machine. */
  target: (state: State) => SshTarget | Promise<SshTarget>;
  /** Resolves with the reason when the machine has ended: no connection is waited for then. */
  ended?: (state: State) => Promise<Error>;
  /** Shows the state of the machine, when it cannot be reached. */
  onFailure?: (state: State, ui: Ui) => Promise<void>;
}

/**
 * The step that connects to the machine by ssh, and puts the communicator into
 * the state as `communicator`. Its cleanup ends the connection.
 *
 * With `pause_before_connecting` it connects, disconnects, waits and connects
 * again, as Packer does.
 *
 * @param options The configuration, and where to log in.
 * @returns A step for {@linkcode runSteps}. It throws an
 * {@linkcode SshTimeoutError} when the machine cannot be reached in
 * `ssh_timeout`.
 */
export function connectStep<State extends { communicator?: Communicator }>(
  { config, target, ended, onFailure }: ConnectOptions<State>,
): Step<State> {
  let communicator: SshCommunicator | undefined;
  return {
    name: "StepConnect",
    async run(state, { ui, signal }) {
      const to = await target(state);
      await ui.say(`Using ssh communicator to connect: ${to.host}`);
      const { SshCommunicator } = await import("./ssh/ssh_communicator.ts");
      await communicator?.[Symbol.asyncDispose]();
      communicator = new SshCommunicator({ target: to, config });
      const stop = new AbortController();
      void ended?.(state).then((reason) => stop.abort(reason));
      const connect = async () => {
        await ui.say("Waiting for SSH to become available...");
        try {
          await communicator!.connect(AbortSignal.any([signal, stop.signal]));
        } catch (error) {
          signal.throwIfAborted();
          await onFailure?.(state, ui);
          await ui.error((error as Error).message);
          throw error;
        }
        await ui.say("Connected to SSH!");
      };
      await connect();
      const pause = config.pause_before_connecting;
      if (pause > 0) {
        await ui.say(`Pausing ${goDuration(pause)} before connecting...`);
        await communicator.disconnect();
        await delay(pause, signal);
        await connect();
      }
      state.communicator = communicator;
    },
    async cleanup() {
      await communicator?.[Symbol.asyncDispose]();
    },
  };
}

/**
 * The step that removes the temporary key from the machine's `authorized_keys`
 * files, where `ssh_clear_authorized_keys` is set. It comes after the
 * provisioners; a failure is shown, and fails no build.
 *
 * @param options The configuration; and the comment of the key, which is
 * `temporary_key_pair_name` unless given.
 * @returns A step for {@linkcode runSteps}.
 */
export function clearAuthorizedKeysStep<
  State extends { communicator?: Communicator },
>(
  { config, name }: {
    config: SshConfig;
    name?: (state: State) => string | undefined;
  },
): Step<State> {
  return {
    name: "StepCleanupTempKeys",
    async run(state, { ui, signal }) {
      const key = name?.(state) ?? config.temporary_key_pair_name;
      const { communicator } = state;
      if (!config.ssh_clear_authorized_keys || !key || !communicator) return;
      await ui.say(
        "Trying to remove ephemeral keys from authorized_keys files",
      );
      await runQuietly(
        communicator,
        `sh -c ${shellQuote(clearScript(key))}`,
        ui,
        signal,
      );
    },
  };
}

/** Removes the lines that end with a comment: the user's, and root's where sudo asks for no password. */
function clearScript(comment: string): string {
  const sed = `sed -i.bak ${
    shellQuote(`/ ${comment.replace(/[\\/.*[\]^$]/g, "\\$&")}$/d`)
  }`;
  return `file=$HOME/.ssh/authorized_keys
if [ -e "$file" ]; then
  ${sed} "$file" && rm -f "$file.bak" || exit
fi
file=/root/.ssh/authorized_keys
if [ "$(id -u)" != 0 ] && sudo -n test -e "$file" 2>/dev/null; then
  sudo -n ${sed} "$file" && sudo -n rm -f "$file.bak"
fi
`;
}

async function runQuietly(
  communicator: Communicator,
  command: string,
  ui: Ui,
  signal: AbortSignal,
): Promise<void> {
  try {
    const running = await communicator.start({ command, signal });
    const status = await running.wait();
    if (status === 0) return;
    await ui.error(
      `Warning: the temporary key may still be on the machine: "${command}" exited with ${status}`,
    );
  } catch (error) {
    signal.throwIfAborted();
    await ui.error(
      `Warning: the temporary key may still be on the machine: ${
        (error as Error).message
      }`,
    );
  }
}
