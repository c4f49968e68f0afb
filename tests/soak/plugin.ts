// The plugin of the soak: does a little of everything, very often.

import { serve } from "@baler/baler";

declare const gc: () => void;

class Part {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }

  twice(): number {
    return this.number * 2;
  }
}

class Work {
  echo(value: unknown): unknown {
    return value;
  }

  part(number: number): Part {
    return new Part(number);
  }

  async callBack(back: (value: number) => Promise<number>): Promise<number> {
    return await back(1);
  }

  async swallow(stream: ReadableStream<Uint8Array>): Promise<number> {
    let length = 0;
    for await (const chunk of stream) length += chunk.length;
    return length;
  }

  source(chunks: number): ReadableStream<Uint8Array> {
    let left = chunks;
    return new ReadableStream({
      pull(controller) {
        if (left-- > 0) controller.enqueue(new Uint8Array(1_000));
        else controller.close();
      },
    });
  }

  /** Returns the memory of this process after garbage collection. */
  async holds(): Promise<{ heap: number; rss: number; files: number }> {
    for (let turn = 0; turn < 5; turn++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { heapUsed, rss } = Deno.memoryUsage();
    return {
      heap: heapUsed,
      rss,
      files: [...Deno.readDirSync("/proc/self/fd")].length,
    };
  }
}

serve({ work: { "": Work } });
