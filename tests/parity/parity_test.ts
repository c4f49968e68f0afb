// A Packer user's templates work unchanged: what Packer 1.6.6 does with each
// case, in exit code, events, files and the sense of its errors, baler does too.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { GROUPS } from "./cases/mod.ts";
import type { Outcome, ParityCase } from "./case.ts";
import { DIFFERENCES } from "./differences.ts";
import { type Ran, runAll, runCase } from "./run.ts";
import { missing, skippable } from "../support/programs.ts";

const ALL = Object.values(GROUPS).flat();

// Packer does not change: some of its cases each time are enough to see that it is another.
const EACH = Deno.env.get("BALER_PARITY") === "all" ? 1 : 8;

for (const [group, cases] of Object.entries(GROUPS)) {
  Deno.test(`baler does what Packer does: ${group}`, async (t) => {
    const packers = await recorded(group);
    const ran = await runAll(cases, (one) => runCase(one, "compiled"));
    for (const one of cases) {
      await t.step(
        one.name,
        () => assertParity(one, ran.get(one.name)!, packers[one.name]!),
      );
    }
  });

  Deno.test({
    ...skippable(
      `the recorded outcomes are what Packer does: ${group}`,
      missing("packer"),
    ),
    async fn(t) {
      const packers = await recorded(group);
      const sample = cases.filter((_, index) => index % EACH === 0);
      const ran = await runAll(sample, (one) => runCase(one, "packer"));
      for (const one of sample) {
        await t.step(one.name, () => {
          const { output, ok, events, files } = ran.get(one.name)!;
          const packer = packers[one.name]!;
          assertEquals({ ok, files }, { ok: packer.ok, files: packer.files });
          if (one.differs !== undefined) return;
          assertEquals(events, packer.events, output);
          assertMessageParts(one.messageParts, output);
        });
      }
    },
  });
}

Deno.test("baler from source does what Packer does", async (t) => {
  for (const [group, cases] of Object.entries(GROUPS)) {
    const sample = cases.filter((one) => one.sample);
    const packers = await recorded(group);
    const ran = await runAll(sample, (one) => runCase(one, "source"));
    for (const one of sample) {
      await t.step(
        one.name,
        () => assertParity(one, ran.get(one.name)!, packers[one.name]!),
      );
    }
  }
});

Deno.test("the names of cases are unique, and every difference has a case and a description", async () => {
  const names = ALL.map(({ name }) => name);
  assertEquals(names.length, new Set(names).size);
  const page = await Deno.readTextFile(
    new URL("../../docs/packer.md", import.meta.url),
  );
  for (const name of Object.keys(DIFFERENCES)) {
    assert(page.includes(`\`${name}\``), `${name} is not in docs/packer.md`);
    assert(
      ALL.some(({ differs }) => differs?.why === name),
      `${name} has no case`,
    );
  }
});

async function recorded(group: string): Promise<Record<string, Outcome>> {
  const url = new URL(`./expected/${group}.json`, import.meta.url);
  return JSON.parse(await Deno.readTextFile(url));
}

function assertParity(one: ParityCase, ran: Ran, packers: Outcome): void {
  const { output, ...outcome } = ran;
  const { differs } = one;
  if (differs === undefined) {
    assertEquals(outcome, packers, output);
    assertMessageParts(one.messageParts, output);
    return;
  }
  // A difference that no longer exists must be removed from the list.
  assertNotEquals(outcome, packers);
  assertEquals(outcome.ok, differs.ok, output);
  assertMessageParts(differs.messageParts, output);
  assertEquals(
    Object.keys(outcome.files),
    differs.files ?? Object.keys(packers.files),
  );
}

function assertMessageParts(
  words: readonly string[] = [],
  output: string,
): void {
  const said = output.toLowerCase().replaceAll(/(\s|\\n)+/g, " ");
  for (const word of words) {
    assert(
      said.includes(word.toLowerCase()),
      `"${word}" is not in:\n${output}`,
    );
  }
}
