// The twin of tests/peers/plugin-twin, in TypeScript: the same plugin, which
// Packer runs.

import {
  type Builder,
  type BuilderRunOptions,
  type Communicator,
  HOOK_PROVISION,
  type PrepareOptions,
  type Provisioner,
  type ProvisionOptions,
  serve,
  type Ui,
} from "@baler/baler";

const options = {
  lines: { type: "number", description: "Lines to say.", default: 0 },
  bytes: { type: "number", description: "Bytes to push.", default: 0 },
} as const;

interface Config {
  lines: number;
  bytes: number;
}

/** A machine that drops what it gets. */
function sink(ui: Ui): Communicator {
  return {
    async start({ stdout, stderr }) {
      await Promise.all([stdout?.close(), stderr?.close()]);
      return { wait: () => 0 };
    },
    async upload({ source }) {
      const begin = performance.now();
      let count = 0;
      for await (const chunk of source) count += chunk.length;
      ui.say(`received ${count} in ${performance.now() - begin} ms`);
    },
    async download({ destination }) {
      const writer = destination.getWriter();
      await writer.write(new Uint8Array(1024));
      await writer.close();
    },
    uploadDir() {},
    downloadDir() {},
  };
}

class Machine implements Builder<Config> {
  readonly options = options;
  #config!: Config;

  prepare({ config }: PrepareOptions<Config>) {
    this.#config = config;
  }

  async run({ ui, hook, signal }: BuilderRunOptions) {
    const begin = performance.now();
    for (let line = 0; line < this.#config.lines; line++) {
      await ui.message("a line of output");
    }
    ui.say(`said in ${performance.now() - begin} ms`);
    await hook.run({
      name: HOOK_PROVISION,
      ui,
      communicator: sink(ui),
      data: { ID: "twin" },
      signal,
    });
    return {
      builderId: "bench.twin",
      id: "twin",
      files: [],
      destroy() {},
      toString: () => "twin",
    };
  }
}

/** The chunk size of a file stream in Deno, in bytes. */
const CHUNK_BYTES = 64 * 1024;

class Push implements Provisioner<Config> {
  readonly options = options;
  #config!: Config;

  prepare({ config }: PrepareOptions<Config>) {
    this.#config = config;
  }

  async provision({ ui, communicator }: ProvisionOptions) {
    const begin = performance.now();
    let left = this.#config.bytes;
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (left === 0) return controller.close();
        const chunk = new Uint8Array(Math.min(CHUNK_BYTES, left));
        left -= chunk.length;
        controller.enqueue(chunk);
      },
    });
    await communicator!.upload({ path: "/push", source });
    ui.say(`pushed in ${performance.now() - begin} ms`);
  }
}

serve({ builder: { machine: Machine }, provisioner: { push: Push } }, {
  version: "1.0.0",
});
