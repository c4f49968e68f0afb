// The lines of a process that runs several plugins are tagged with their plugin.

import { assertEquals } from "@std/assert";
import { LabelledLog } from "../../host/log/labelled_log.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** The calls of a log: each tag and text. */
function recorded() {
  const written: [string, string][] = [];
  const log = new LabelledLog({
    write(name, lines) {
      written.push([
        name,
        lines instanceof Uint8Array
          ? new TextDecoder().decode(lines)
          : lines.join("\n"),
      ]);
    },
    redact: (text) => text.replace("secret", "***"),
  });
  return { log, written };
}

Deno.test("lines with a label are tagged with it, the others with the process's name, in order", async () => {
  const { log, written } = recorded();
  log.add("/opt/a");
  log.add("/opt/b plugin");
  await log.write(
    "adapter",
    encode(
      "/opt/a: one\n/opt/a: two\n/opt/b plugin: x\nof its own\n/opt/ab: no\n/opt/a: last",
    ),
  );
  await log.write("adapter", ["/opt/a: a text of the host's"]);
  assertEquals(written, [
    ["/opt/a", "one\ntwo\n"],
    ["/opt/b plugin", "x\n"],
    ["adapter", "of its own\n/opt/ab: no\n"],
    ["/opt/a", "last"],
    ["adapter", "/opt/a: a text of the host's"],
  ]);
  assertEquals(log.redact("a secret"), "a ***");
});

Deno.test("bytes that change after the call are logged as they were", async () => {
  const { log, written } = recorded();
  log.add("x");
  const bytes = encode("x: one\ny: two\n");
  const done = log.write("p", bytes);
  bytes.fill(46);
  await done;
  assertEquals(written, [["x", "one\n"], ["p", "y: two\n"]]);
});
