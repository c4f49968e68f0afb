// Whatever a plugin does, and whenever: the host gives one error that names it, the other builds
// finish, what is alive cleans up, and nothing is left. Every moment with every fault.

import { fromFileUrl } from "@std/path";
import { compile } from "../../tools/compile.ts";
import { assertCell } from "./run_cell.ts";
import {
  type FaultName,
  FAULTS,
  LIVES_ON,
  type MomentName,
  MOMENTS,
  names,
} from "./matrix.ts";
import { sideBySide } from "./side_by_side.ts";
import type { HostKind } from "../support/harness.ts";

const ignore = Deno.build.os !== "linux";

type Cell = readonly [moment: MomentName, fault: FaultName];

const faults = names(FAULTS);
const ALL: Cell[] = names(MOMENTS).flatMap((moment) =>
  faults.map((fault) => [moment, fault] as const)
);

/** Each moment once, each fault once. */
const DIAGONAL: Cell[] = names(MOMENTS).map((moment, index) =>
  [moment, faults[(index * 3 + 1) % faults.length]!] as const
);

async function assertCells(
  test: Deno.TestContext,
  kind: HostKind,
  cells: readonly Cell[],
  plugin?: readonly string[],
): Promise<void> {
  const steps = (livesOn: boolean) =>
    cells.filter(([, fault]) => LIVES_ON.has(fault) === livesOn).map((
      cell,
    ) => ({
      name: `${MOMENTS[cell[0]]} it ${FAULTS[cell[1]]}`,
      fn: () => assertCell(kind, ...cell, plugin),
    }));
  // Waits for processes that have not exited yet, while other cells run.
  await Promise.all([
    sideBySide(test, steps(true), 8),
    sideBySide(test, steps(false), navigator.hardwareConcurrency + 2),
  ]);
}

Deno.test({
  name: "a plugin fails",
  ignore,
  fn: (test) => assertCells(test, "source", ALL),
});

Deno.test({
  name: "a compiled plugin of a compiled host fails",
  ignore,
  async fn(test) {
    const [plugin] = await compile([{
      name: "faulty-plugin",
      entry: fromFileUrl(import.meta.resolve("./faulty.ts")),
      flags: ["--allow-all"],
    }], { say: () => {} });
    await assertCells(test, "compiled", DIAGONAL, [plugin!.path]);
  },
});
