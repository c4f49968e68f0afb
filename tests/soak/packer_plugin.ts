// The plugin of the soak over Packer's wire: a builder that calls its host, and
// has its machine provisioned now and then.

import {
  type BuilderRunOptions,
  type Communicator,
  HOOK_PROVISION,
  type PrepareOptions,
  serveBuilder,
} from "@baler/baler";

declare const gc: () => void;

/** How many calls of the ui come between two provisionings. */
const CALLS_A_MACHINE = 10;

/** A machine that reads what it gets. */
const machine: Communicator = {
  start({ stdin, stdout, stderr }) {
    return {
      async wait() {
        for await (const _ of stdin ?? []) { /* It only reads. */ }
        await Promise.all([stdout?.close(), stderr?.close()]);
        return 0;
      },
    };
  },
  async upload({ source }) {
    for await (const _ of source) { /* It only reads. */ }
  },
  async download({ destination }) {
    const writer = destination.getWriter();
    await writer.write(new Uint8Array(1_000));
    await writer.close();
  },
  uploadDir() {},
  downloadDir() {},
};

class Caller {
  #calls = 0;

  prepare({ config }: PrepareOptions) {
    this.#calls = Number(config.calls);
  }

  async run({ ui, hook, signal }: BuilderRunOptions) {
    for (let call = 0; call < this.#calls; call++) {
      if (call % CALLS_A_MACHINE === 0) {
        await hook.run({
          name: HOOK_PROVISION,
          ui,
          communicator: machine,
          data: { ID: String(call) },
          signal,
        });
      }
      await ui.message(`call ${call}`);
    }
    gc();
    const { heapUsed, rss } = Deno.memoryUsage();
    const files = [...Deno.readDirSync("/proc/self/fd")].length;
    await ui.machine("held", ...[heapUsed, rss, files].map(String));
  }
}

// One instance: it is prepared and run again and again, on one connection.
serveBuilder(new Caller(), { version: "1.0.0" });
