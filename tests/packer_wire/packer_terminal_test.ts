// A TypeScript plugin on a terminal, through Packer: it asks, shows how far it
// has come, and is interrupted by Ctrl-C, which the terminal sends to the plugin
// as well.

import { assert } from "@std/assert";
import { missing } from "../support/programs.ts";
import { shellQuote } from "../support/shell.ts";
import { Terminal } from "../support/terminal.ts";
import { forEachPacker, type PackerRun } from "./packers.ts";

const options = {
  wanted: ({ name }: { name: string }) => name === "1.6.6" || name === "1.16.0",
  reason: missing("tmux"),
};

async function onTerminal(run: PackerRun, then: string): Promise<Terminal> {
  await run.write("t.json", {
    builders: [{ type: run.names.machine, then }],
  });
  return await Terminal.run(
    { home: `${run.path}/home`, path: run.at("."), env: run.env },
    `${shellQuote(run.packer)} build t.json`,
  );
}

await forEachPacker("a person answers on a terminal", async (run) => {
  await using terminal = await onTerminal(run, "ask");
  await terminal.shows(/who\?/);
  await terminal.type("Ada");
  await terminal.press("Enter");
  await terminal.shows(/answered Ada/);
  await terminal.shows(/ended 0/);
}, options);

await forEachPacker("progress on a terminal", async (run) => {
  await using terminal = await onTerminal(run, "progress");
  await terminal.shows(/ended 0/);
}, options);

await forEachPacker(
  "Ctrl-C on a terminal lets the builder clean up",
  async (run) => {
    await using terminal = await onTerminal(run, "wait");
    await terminal.shows(/waiting/);
    await terminal.press("C-c");
    await terminal.shows(/cleaning up/);
    await terminal.shows(/ended 1/);
    assert((await run.notes()).includes("builder cleaned up"));
  },
  options,
);
