// The measured plugin: an echo, both ends of a stream, and builders
// with much output and log.

import {
  type Artifact,
  type Builder,
  type BuilderRunOptions,
  type ConfigOf,
  type Options,
  type PrepareOptions,
  serve,
} from "@baler/baler";

const CHUNK = 64 * 1024;

/** What the measuring host calls. */
export class Bench {
  echo(value: unknown): unknown {
    return value;
  }

  /** A stream of so many bytes, each chunk of them the same memory: `head` has but one buffer too. */
  give(bytes: number): ReadableStream<Uint8Array> {
    const chunk = new Uint8Array(CHUNK).fill(7);
    let left = bytes;
    return new ReadableStream({
      pull(controller) {
        if (left === 0) return controller.close();
        const size = Math.min(left, CHUNK);
        left -= size;
        controller.enqueue(chunk.subarray(0, size));
      },
    }, { highWaterMark: 0 });
  }

  /** How many bytes a stream had. */
  async take(stream: ReadableStream<Uint8Array>): Promise<number> {
    let count = 0;
    for await (const chunk of stream) count += chunk.length;
    return count;
  }
}

const options = {
  lines: {
    type: "number",
    description: "How many lines are said.",
    default: 0,
  },
  log_bytes: {
    type: "number",
    description: "How much is logged, in lines of 100 bytes.",
    default: 0,
  },
} as const satisfies Options;

type Config = ConfigOf<typeof options>;

class Talker implements Builder<Config> {
  readonly options = options;
  #config!: Config;

  prepare({ config }: PrepareOptions<Config>) {
    this.#config = config;
  }

  async run({ ui }: BuilderRunOptions): Promise<Artifact | undefined> {
    const { lines, log_bytes } = this.#config;
    for (let line = 1; line <= lines; line++) {
      await ui.say(`line ${line} of many that are said`);
    }
    const block = new TextEncoder().encode(
      `${"x".repeat(99)}\n`.repeat(CHUNK / 100),
    );
    for (let left = log_bytes; left > 0; left -= block.length) {
      const part = block.subarray(0, Math.min(left, block.length));
      for (let at = 0; at < part.length;) {
        at += Deno.stderr.writeSync(part.subarray(at));
      }
    }
    return undefined;
  }
}

serve({ bench: { "": Bench }, builder: { "": Talker } });
