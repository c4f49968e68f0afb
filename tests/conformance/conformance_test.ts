// Conformance: a program in any language that implements docs/protocol.md is a plugin.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { launch } from "../../host/plugin/launch.ts";
import { calls } from "./calls_cases.ts";
import { plugins } from "./plugins.ts";
import { references } from "./references_cases.ts";
import { streams } from "./streams_cases.ts";
import type { Suite } from "./suite.ts";
import { values } from "./values_cases.ts";
import { skippable } from "../support/programs.ts";

const all = { values, references, calls, streams };

for (const { language, command, missing } of plugins) {
  for (const [name, promises] of Object.entries(all)) {
    Deno.test(
      skippable(
        `a plugin in ${language} keeps what is promised of ${name}`,
        missing,
      ),
      async (t) => {
        await using plugin = await launch(command);
        for (const [promise, keeps] of Object.entries(promises)) {
          await t.step(`a plugin in ${language} ${promise}`, async () => {
            const suite = await plugin.create<Suite>("conformance", "suite");
            await keeps({ suite, plugin });
          });
        }
      },
    );
  }

  Deno.test(
    skippable(`a plugin in ${language} says what it is`, missing),
    async () => {
      await using plugin = await launch(command);
      assertEquals(plugin.info.protocol, 1);
      assertEquals(plugin.info.components, { conformance: ["suite"] });
    },
  );

  Deno.test(
    skippable(
      `a plugin in ${language} that dies fails every call in flight with its exit code and last words`,
      missing,
    ),
    async () => {
      await using plugin = await launch(command);
      const suite = await plugin.create<Suite>("conformance", "suite");
      const failed = (call: Promise<unknown>) =>
        call.then(
          () => new Error("it was answered"),
          (error) => error as Error,
        );
      const held = failed(suite.hold("forever"));
      await suite.log("these are my last words");
      const exited = failed(suite.exit(42));
      for (const error of [await held, await exited]) {
        assertMatch(error.message, /42/);
        assertMatch(error.message, /these are my last words/);
        assertMatch(error.message, /plugin\.(ts|py)/);
      }
      const after = await failed(suite.add(1, 1));
      assertMatch(after.message, /42/);
    },
  );

  Deno.test(
    skippable(
      `a plugin in ${language} is gone once it is closed, and a call in flight fails`,
      missing,
    ),
    async () => {
      const plugin = await launch(command);
      const suite = await plugin.create<Suite>("conformance", "suite");
      const waiting = suite.waitAbort(new AbortController().signal).then(
        () => new Error("it was answered"),
        (error) => error as Error,
      );
      await suite.add(1, 1);
      await plugin.close();
      assertMatch((await waiting).message, /closed/);
    },
  );

  Deno.test(
    skippable(
      `a plugin in ${language} writes to the log what it writes to stderr`,
      missing,
    ),
    async () => {
      let log = "";
      const text = (lines: readonly string[] | Uint8Array) =>
        lines instanceof Uint8Array
          ? new TextDecoder().decode(lines)
          : `${lines.join("\n")}\n`;
      await using plugin = await launch(command, {
        name: "suite",
        log: {
          write: (name, lines) => void (log += name + ": " + text(lines)),
        },
      });
      const suite = await plugin.create<Suite>("conformance", "suite");
      await suite.log("a line for the log");
      await plugin.close();
      assert(/^suite: (.*\n)*a line for the log\n/m.test(log), log);
    },
  );

  for (const other of plugins) {
    const reason = missing ?? other.missing;
    Deno.test(
      skippable(
        `what a plugin in ${language} gives works in another process, in ${other.language}`,
        reason,
      ),
      async () => {
        await using plugin = await launch(command);
        await using second = await launch(other.command);
        const suite = await plugin.create<Suite>("conformance", "suite");
        const elsewhere = await second.create<Suite>("conformance", "suite");
        const counter = await suite.makeCounter(10);
        assertEquals(await elsewhere.startOf(counter), 10);
        assertEquals(await elsewhere.increment(counter, 5), 15);
        assertEquals(await counter.read(), 15);
        assertEquals(
          await elsewhere.callBack(await suite.makeFunction("a"), "b"),
          "ab",
        );
        const sum = await suite.sum(await elsewhere.makeBytes(10_000));
        assertEquals(
          await elsewhere.sum(
            await elsewhere.readAll(
              await suite.makeReadable(100, 10),
            ) as Uint8Array,
          ),
          49500,
        );
        assertEquals(sum, await elsewhere.sum(await suite.makeBytes(10_000)));
        const controller = new AbortController();
        await elsewhere.keep(counter);
        assert(await elsewhere.kept() === counter);
        controller.abort("over");
        assertEquals(await elsewhere.waitAbort(controller.signal), "over");
      },
    );
  }
}
