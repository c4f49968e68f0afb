// Whatever comes over Packer's wire: nothing is thrown, nothing hangs, memory
// stays bounded, and no prototype is polluted.
//
// BALER_FUZZ_CASES and BALER_FUZZ_FIRST run more cases, or others.

import { assertEquals } from "@std/assert";
import { Random } from "../support/random.ts";
import { decodeAll, mutated, record, run, type Side } from "./fuzz.ts";

const CASES = Number(Deno.env.get("BALER_FUZZ_CASES") ?? 5_000);
const FIRST = Number(Deno.env.get("BALER_FUZZ_FIRST") ?? 0);

/** How many cases run side by side: each waits for turns of the event loop. */
const AT_ONCE = 50;

/** How much more memory may be in use at the end, in bytes. */
const MEMORY_BYTES = 512 * 1024 * 1024;

Deno.test({
  name: `${CASES} mutated sessions of Packer's wire do no harm`,
  async fn() {
    const frames = await record();
    const finds: string[] = [];
    let current = FIRST;
    const unhandled = (event: PromiseRejectionEvent) => {
      event.preventDefault();
      finds.push(`near ${current}: nobody handled ${event.reason?.stack}`);
    };
    globalThis.addEventListener("unhandledrejection", unhandled);
    const { error } = console;
    // Components tell of what they were sent.
    console.error = () => {};
    const before = Deno.memoryUsage().rss;
    try {
      for (; current < FIRST + CASES; current += AT_ONCE) {
        await Promise.all(
          Array.from({ length: AT_ONCE }, async (_, index) => {
            const seed = current + index;
            const random = new Random(seed);
            const side = random.of<Side>(["host", "plugin"]);
            const sender = side === "host" ? "plugin" : "host";
            const input = mutated(random, frames[sender]);
            const what = await run(side, input, random) ?? decodeAll(input);
            if (what !== undefined) finds.push(`${seed}: ${what}`);
          }),
        );
        if (finds.length > 20) break;
      }
      await new Promise((resolve) => setTimeout(resolve));
    } finally {
      console.error = error;
      globalThis.removeEventListener("unhandledrejection", unhandled);
    }
    assertEquals(finds, []);
    const more = Deno.memoryUsage().rss - before;
    assertEquals(more < MEMORY_BYTES, true, `${more} bytes are held`);
  },
});
