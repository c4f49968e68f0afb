// The send buffer writes messages whole and in order, however large or small they
// are, and however long a write takes.

import { assert, assertEquals } from "@std/assert";
import { SendBuffer } from "../../plugin/rpc/send_buffer.ts";
import { Random } from "../support/random.ts";

const TEXTS = ["x", "ä", "€", "😀", "{}"];
const LENGTHS = [0, 1, 100, 5_000, 16_384, 70_000, 300_000];

Deno.test("messages of one turn are written together, behind the prefix", async () => {
  const written: string[] = [];
  const sendBuffer = new SendBuffer({
    write: (bytes) => void written.push(new TextDecoder().decode(bytes)),
  }, "|");
  sendBuffer.send("one", []);
  sendBuffer.send("two", [new Uint8Array([65, 66]), new Uint8Array(0)]);
  sendBuffer.send("three", []);
  assertEquals(written, []);
  await null;
  assertEquals(written, ["|one\ntwo\nABthree\n"]);
});

Deno.test("large bytes are written in pieces, while the rest is copied", () => {
  const written: number[] = [];
  const sendBuffer = new SendBuffer({
    write: (bytes) => void written.push(bytes.length),
  });
  sendBuffer.send("", [new Uint8Array(10_000_000)]);
  assert(written.length > 8);
  sendBuffer.flush();
  assertEquals(written.reduce((sum, length) => sum + length), 10_000_001);
});

Deno.test("many lines of one turn do not become one string that is too long", () => {
  const written: number[] = [];
  const sendBuffer = new SendBuffer({
    write: (bytes) => void written.push(bytes.length),
  });
  for (let line = 0; line < 100; line++) {
    sendBuffer.send("x".repeat(99_999), []);
  }
  assert(written.length > 8);
  sendBuffer.flush();
  assertEquals(written.reduce((sum, length) => sum + length), 10_000_000);
});

for (const isSlow of [false, true]) {
  const manner = isSlow ? "asynchronous" : "synchronous";
  Deno.test(`lines and bytes of any length are written in order by ${manner} writes`, async () => {
    const random = new Random(isSlow ? 1 : 2);
    const sent: Uint8Array[] = [];
    const written: Uint8Array[] = [];
    const { promise: done, resolve } = Promise.withResolvers<void>();
    let queue: Promise<void> = done;
    const sendBuffer = new SendBuffer({
      write(bytes) {
        if (!isSlow) return void written.push(bytes.slice());
        // The bytes must not change until they are written.
        return queue = queue.then(() => void written.push(bytes.slice()));
      },
    });
    for (let message = 0; message < 300; message++) {
      const text = random.of(TEXTS).repeat(Math.ceil(random.of(LENGTHS) / 3));
      const parts = Array.from(
        { length: random.below(3) },
        () => new Uint8Array(random.of(LENGTHS)).fill(random.below(256)),
      );
      sendBuffer.send(text, parts);
      sent.push(new TextEncoder().encode(`${text}\n`));
      for (const part of parts) sent.push(part.slice());
      // The caller may reuse them.
      for (const part of parts) part.fill(0);
      if (random.once(4)) await null;
      if (message === 150) resolve();
    }
    sendBuffer.flush();
    await queue;
    assert(written.length < sent.length);
    assertEquals(await digestOf(written), await digestOf(sent));
  });
}

async function digestOf(pieces: Uint8Array[]): Promise<string> {
  const whole = await new Blob(pieces as Uint8Array<ArrayBuffer>[])
    .arrayBuffer();
  const digest = await crypto.subtle.digest("SHA-256", whole);
  return `${whole.byteLength} ${new Uint8Array(digest).toHex()}`;
}
