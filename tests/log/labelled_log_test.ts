// A process that runs several plugins has its lines tagged with the plugin that each is of.

import { assertEquals } from "@std/assert";
import { LabelledLog } from "../../host/log/labelled_log.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** What a log was given: each call's tag and text. */
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

Deno.test("lines are tagged with their label, in order, and the others with the process's name", async () => {
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
