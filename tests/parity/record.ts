// Records what Packer does with each case, in expected/, to compare baler with
// where Packer is not installed. Run it with Packer 1.6.6 after a change of the cases:
//
//     deno run -A tests/parity/record.ts [GROUP...]

import { GROUPS } from "./cases/mod.ts";
import { runAll, runCase } from "./run.ts";
import { missing } from "../support/programs.ts";

const reason = missing("packer");
if (reason !== undefined) throw new Error(reason);
for (const [group, cases] of Object.entries(GROUPS)) {
  if (Deno.args.length > 0 && !Deno.args.includes(group)) continue;
  const ran = await runAll(cases, (one) => runCase(one, "packer"));
  const outcomes: Record<string, unknown> = {};
  for (const { name } of cases) {
    const { ok, events, files } = ran.get(name)!;
    outcomes[name] = { ok, events, files };
  }
  await Deno.writeTextFile(
    new URL(`expected/${group}.json`, import.meta.url),
    JSON.stringify(outcomes, null, 2) + "\n",
  );
  console.log(`${group}: ${cases.length} cases`);
}
// Listeners of the harness wait for nothing that comes.
Deno.exit();
