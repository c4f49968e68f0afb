// The provisioner sleep waits, and does nothing else.

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
  /** The configuration that it takes. */
  readonly options: typeof options = options;
  #duration = 0;

  /** Takes the length of time. */
  prepare({ config }: PrepareOptions<ConfigOf<typeof options>>): void {
    this.#duration = config.duration;
  }

  /** Waits, unless the build is cancelled. */
  async provision({ signal }: ProvisionOptions): Promise<void> {
    await delay(this.#duration, signal);
  }
}

if (import.meta.main) serveProvisioner(new SleepProvisioner());
