// An error that contains others (a cause, the errors of an AggregateError or of a
// SuppressedError) shows all of them, on the screen and in the log.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import {
  errorMessage,
  formatErrorChain,
} from "../../host/errors/error_message.ts";
import { formatError } from "../../host/errors/format_error.ts";
import { forEachHost } from "../support/harness.ts";

const plugin = [
  Deno.execPath(),
  "run",
  "--no-check",
  "--allow-all",
  fromFileUrl(import.meta.resolve("../fixtures/builds/held_errors.ts")),
];

for (
  const [type, ...messages] of [
    [
      "cleanup-fails",
      "the image could not be saved",
      "cannot delete machine m-1: quota",
    ],
    ["all-fail", "mirror-1: timed out", "mirror-2: failed", "connection reset"],
    ["cause", "the disk could not be attached", "No space left on device"],
    ["mistake", "TypeError: ", "BALER_LOG=1"],
  ] as const
) {
  forEachHost(
    `an error of a plugin shows all that it holds: ${type}`,
    async (bench) => {
      await bench.write("template.json", {
        builders: { b: { plugin, type } },
      });
      const { code, stdout } = await bench.baler(["build", "template.json"]);
      assertEquals(code, 1);
      for (const message of messages) assertStringIncludes(stdout, message);
      const { stderr } = await bench.baler(["build", "template.json"], {
        env: { BALER_LOG: "1" },
      });
      const log = stderr.split("\n").filter((line) =>
        line.includes(" baler: ")
      );
      for (
        const message of messages.slice(0, type === "mistake" ? 1 : undefined)
      ) {
        assertStringIncludes(log.join("\n"), message);
      }
    },
  );
}

function suppressed(last: unknown, first: unknown): Error {
  return Object.assign(new Error("An error was suppressed during disposal"), {
    name: "SuppressedError",
    error: last,
    suppressed: first,
  });
}

Deno.test("errorMessage() shows the errors of nested disposals in the order in which they occurred", () => {
  const error = suppressed(
    new Error("third"),
    suppressed(new Error("second"), new Error("first")),
  );
  assertEquals(
    errorMessage(error),
    "first\nCleaning up failed as well: second\nCleaning up failed as well: third",
  );
});

Deno.test("errorMessage() does not repeat an error that the message already contains", () => {
  const cause = new Error("no such host");
  assertEquals(
    errorMessage(new Error("cannot connect: no such host", { cause })),
    "cannot connect: no such host",
  );
  assertEquals(
    errorMessage(new AggregateError([cause, cause], "2 failed")),
    "2 failed\n* no such host",
  );
});

Deno.test("errors that contain themselves, or too many others, are shown in part", () => {
  const cycle = new Error("cycle");
  cycle.cause = new AggregateError([cycle], "inner");
  assertEquals(errorMessage(cycle), "cycle\nCaused by: inner");
  assert(formatErrorChain(cycle).length > 0);
  assertEquals(formatError(cycle), errorMessage(cycle));
  let chain = new Error("0");
  for (let depth = 1; depth < 50_000; depth++) {
    chain = new Error(`error ${depth}`, { cause: chain });
  }
  assert(errorMessage(chain).split("\n").length < 20);
  assert(formatErrorChain(chain).length > 100);
  const many = new AggregateError(
    Array.from({ length: 1_000 }, (_, index) => new Error(`part ${index};`)),
  );
  assertStringIncludes(errorMessage(many), "* and 980 more");
});
