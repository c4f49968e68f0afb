// The provisioner sleep waits.

import type { PrepareOptions } from "../../contract/builder.ts";
import type { ConfigOf, Options } from "../../contract/options.ts";
import { delay } from "../../common/delay.ts";
import type {
  Provisioner,
  ProvisionOptions,
} from "../../contract/provisioner.ts";
import { serveProvisioner } from "../../sdk/serve.ts";

const options = {
  duration: {
    type: "duration",
    default: 0,
    description: "How long to wait.",
  },
} as const satisfies Options;

/** Waits. */
export default class SleepProvisioner
  implements Provisioner<ConfigOf<typeof options>> {
  /** Its options. */
  readonly options: typeof options = options;
  #duration = 0;

  /** Stores the duration. */
  prepare({ config }: PrepareOptions<ConfigOf<typeof options>>): void {
    this.#duration = config.duration;
  }

  /** Waits; the wait ends when the build is cancelled. */
  async provision({ signal }: ProvisionOptions): Promise<void> {
    await delay(this.#duration, signal);
  }
}

if (import.meta.main) serveProvisioner(new SleepProvisioner());
