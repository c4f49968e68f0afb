// The provisioner breakpoint pauses a build until its user presses enter.

import type { PrepareOptions } from "../../contract/builder.ts";
import type { ConfigOf, Options } from "../../contract/options.ts";
import type {
  Provisioner,
  ProvisionOptions,
} from "../../contract/provisioner.ts";
import { serveProvisioner } from "../../sdk/serve.ts";
import { abortable } from "./abortable.ts";

const options = {
  note: { type: "string", description: "A note to show at the breakpoint." },
  disable: {
    type: "boolean",
    default: false,
    description: "Continue without a pause.",
  },
} as const satisfies Options;

/** Waits for the user. */
export default class BreakpointProvisioner
  implements Provisioner<ConfigOf<typeof options>> {
  /** Its options. */
  readonly options: typeof options = options;
  #config!: ConfigOf<typeof options>;

  /** Stores the configuration. */
  prepare({ config }: PrepareOptions<ConfigOf<typeof options>>): void {
    this.#config = config;
  }

  /** Asks the user, and returns on any answer. */
  async provision({ ui, signal }: ProvisionOptions): Promise<void> {
    const { note, disable } = this.#config;
    const which = note ? ` with note "${note}"` : "";
    if (disable) {
      await ui.say(`Breakpoint provisioner${which} disabled; continuing...`);
      return;
    }
    await ui.say(`Pausing at breakpoint provisioner${which}.`);
    try {
      await abortable(signal, ui.ask("Press enter to continue."));
    } catch (cause) {
      signal.throwIfAborted();
      throw new Error(
        `Error asking for input: ${(cause as Error).message}`,
        { cause },
      );
    }
  }
}

if (import.meta.main) serveProvisioner(new BreakpointProvisioner());
