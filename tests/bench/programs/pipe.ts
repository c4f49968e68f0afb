// The pipe alone: a message of a small call's size to another Deno process and
// back, with nothing done to it. With the argument "echo" it is that other.

import { driven } from "./driven.ts";

// What a call with the small argument takes on the wire.
const MESSAGE = new Uint8Array(170).fill(97);

if (Deno.args[0] === "echo") {
  const { stdin, stdout } = Deno;
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const count = await stdin.read(buffer);
    if (count === null) break;
    stdout.writeSync(buffer.subarray(0, count));
  }
} else {
  const child = new Deno.Command(Deno.execPath(), {
    args: Deno.build.standalone
      ? ["echo"]
      : ["run", "--quiet", import.meta.filename!, "echo"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.getReader();
  await driven({
    async sequential(count) {
      for (let index = 0; index < count; index++) {
        writer.write(MESSAGE).catch(() => {});
        for (let got = 0; got < MESSAGE.length;) {
          const { value } = await reader.read();
          if (value === undefined) throw new Error("the echo has ended");
          got += value.length;
        }
      }
    },
  });
  await writer.close();
  await child.status;
}
