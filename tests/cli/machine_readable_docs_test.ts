// docs/machine-readable.md documents exactly the events of baler.

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  examplePlugin,
  forEachHost,
  type Workspace,
} from "../support/harness.ts";

const page = await Deno.readTextFile(
  new URL("../../docs/machine-readable.md", import.meta.url),
);

/** An event: its target and its type; for some types also the first field of the data. */
interface Event {
  target: string;
  kind: string;
  fields: number;
}

function eventOf(line: string): Event {
  const fields = line.split(",");
  assertMatch(fields[0]!, /^\d{10}$/, line);
  const [, target = "", type = "", ...data] = fields;
  const word = { ui: data[0], artifact: data[1] }[type];
  return {
    target,
    kind: word === undefined ? type : `${type} ${word}`,
    fields: fields.length,
  };
}

/** The events of the page's examples, by kind. */
const documented = new Map(
  page.split("\n").filter((line) => /^ {4}\d/.test(line)).map((line) => {
    const event = eventOf(line.slice(4));
    return [event.kind, event];
  }),
);

/** Runs every command that prints events with -machine-readable. */
async function seen(bench: Workspace): Promise<Event[]> {
  await bench.write("good.json", {
    variables: { needed: null, other: "x" },
    builders: [{
      type: "file",
      name: "one,\ntwo",
      content: "x",
      target: "x.txt",
    }],
    provisioners: [{ type: "shell-local", inline: ["echo out; echo err >&2"] }],
    "post-processors": [{ type: "checksum", output: "x.md5" }],
  });
  await bench.write("bad.json", {
    builders: [{ type: "file", source: "gone", target: "y" }],
  });
  const plugin = await examplePlugin("baler-builder-custom-cloud");
  const config = await bench.write("core.json", { builders: { x: plugin } });
  const runs = [
    ["build", "-var=needed=1", "good.json"],
    ["build", "bad.json"],
    ["build", "missing.json"],
    ["validate", "-var=needed=1", "good.json"],
    ["validate", "good.json"],
    ["inspect", "good.json"],
    ["inspect", "bad.json"],
    ["plugins"],
    ["version"],
    ["help"],
    ["help", "build"],
    ["console"],
    ["nonsense"],
  ];
  const events: Event[] = [];
  for (const args of runs) {
    const { stdout, stderr } = await bench.baler(
      ["-machine-readable", ...args],
      { stdin: "{{upper `x`}}\n", env: { BALER_CONFIG: config } },
    );
    assertEquals(stderr, "", args.join(" "));
    events.push(...stdout.trimEnd().split("\n").map(eventOf));
  }
  return events;
}

forEachHost(
  "docs/machine-readable.md has each kind of event that baler prints, and no other",
  async (bench) => {
    const events = await seen(bench);
    const kinds = new Set(events.map(({ kind }) => kind));
    assertEquals([...kinds].sort(), [...documented.keys()].sort());
    for (const { kind, target, fields } of events) {
      const example = documented.get(kind)!;
      assertEquals(fields, example.fields, kind);
      assertEquals(target !== "", example.target !== "", kind);
      assert(
        target === "" || target === "file" ||
          target === "one%!(PACKER_COMMA)\\ntwo",
        target,
      );
    }
  },
);

Deno.test("docs/machine-readable.md has a heading for each type", () => {
  const headings = [...page.matchAll(/^### `(.*)`$/gm)].map(([, type]) => type);
  const types = [...documented.keys()].map((kind) => kind.split(" ")[0]!);
  assertEquals(headings, [...new Set(types)]);
});
