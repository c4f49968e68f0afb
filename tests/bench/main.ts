// `deno task bench`: measures baler and its peers in the same run, in turns,
// and shows how they compare. Installs nothing; missing peers are named.

import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { buildRows } from "./builds.ts";
import { callRows } from "./calls.ts";
import { goPluginRows } from "./go_plugins.ts";
import { growth, growthTables } from "./growth.ts";
import { packerRows } from "./packer.ts";
import { growthPlot } from "./plot.ts";
import { programs } from "./programs.ts";
import { isReached, median, ratioOf, type Row, tableOf } from "./row.ts";
import { FULL, QUICK } from "./sizes.ts";

const usage = `deno task bench [options]

Measures baler beside Packer, Go's net/rpc, kkrpc, vscode-jsonrpc, the bare pipe,
cat and sed; shows a table, and writes all numbers into dist/bench.json.

  --quick      less of everything: a minute or so
  --only=PART  only "builds", "calls", "packer" or "growth"
  --source     calls between programs that run from source in this Deno, not
               between compiled ones, which may be of an older one
  --plot       draw docs/growth.svg
  --help       show this
`;

const root = join(import.meta.dirname!, "..", "..");

const flags = parseArgs(Deno.args, {
  boolean: ["quick", "plot", "source", "help"],
  string: ["only"],
});
if (flags.help) {
  console.log(usage);
  Deno.exit();
}
const sizes = flags.quick ? QUICK : FULL;
const wants = (part: string) => flags.only === undefined || flags.only === part;

const made = await programs(flags.source, console.error);
const directory = await Deno.makeTempDir({ prefix: "baler-bench-" });
const rows: Row[] = [];
const missing = [...made.missing];
let grown: Awaited<ReturnType<typeof growth>> | undefined;
try {
  if (wants("builds")) rows.push(...await buildRows(made, sizes, directory));
  if (wants("calls")) rows.push(...await callRows(made, sizes, directory));
  if (wants("packer")) {
    const out = join(root, "dist", "bench");
    rows.push(
      ...await packerRows(sizes, directory, out, (reason) => {
        missing.push(reason);
      }),
      ...await goPluginRows(made.baler, sizes, directory, (reason) => {
        missing.push(reason);
      }),
    );
  }
  if (wants("growth")) grown = await growth(made, sizes, directory);
} finally {
  await Deno.remove(directory, { recursive: true });
}

const machine = await machineText();
console.log(`${machine}\n`);
for (const [name, version] of Object.entries(made.versions)) {
  console.log(`${name}: ${version}`);
}
for (const reason of missing) console.log(`missing: ${reason}`);
console.log();
if (rows.length > 0) console.log(`${tableOf(rows)}\n`);
if (grown !== undefined) {
  console.log(`${growthTables(grown)}\n`);
  if (flags.plot) {
    await Deno.writeTextFile(
      join(root, "docs", "growth.svg"),
      growthPlot(grown),
    );
  }
}

await Deno.writeTextFile(
  join(root, "dist", "bench.json"),
  JSON.stringify(
    {
      date: new Date().toISOString(),
      machine,
      versions: made.versions,
      missing,
      quick: flags.quick,
      fromSource: flags.source,
      rows: rows.map((row) => ({
        ...row,
        medians: {
          baler: median(row.baler),
          ...row.others.length > 0 && { peer: median(row.others) },
        },
        ratio: ratioOf(row),
        reached: isReached(row),
      })),
      growth: grown,
    },
    null,
    2,
  ) + "\n",
);

async function machineText(): Promise<string> {
  const { os, arch } = Deno.build;
  const cores = `${navigator.hardwareConcurrency} cores`;
  const memory = `${
    Math.round(Deno.systemMemoryInfo().total / 2 ** 30)
  } GiB of memory`;
  let processor: string = arch;
  try {
    const text = await Deno.readTextFile("/proc/cpuinfo");
    processor = /^model name\s*: (.*)$/m.exec(text)?.[1] ?? arch;
  } catch {
    // Only Linux reports it in that way.
  }
  return [
    processor,
    cores,
    memory,
    `${os} ${Deno.osRelease()}`,
    `load ${Deno.loadavg()[0]!.toFixed(1)}`,
  ].join(", ");
}
