// When the host is killed, each plugin notices by itself at any
// moment: it aborts its calls with a reason, cleans up, and exits in time with
// all processes that it started.

import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { compile } from "../../tools/compile.ts";
import { FAULTY } from "../faults/run_cell.ts";
import {
  type MomentName,
  MOMENTS,
  names,
  type PauseName,
  PAUSES,
} from "../faults/matrix.ts";
import { sideBySide } from "../faults/side_by_side.ts";
import { Lifeline } from "../support/plugin_process.ts";
import { fixturePlugin, type HostKind, Workspace } from "../support/harness.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { childrenOf } from "../support/processes.ts";
import { NOT_LINUX, skippable } from "../support/programs.ts";

/** The moments at which the builders of both builds have something to clean up. */
const HAS_MACHINE: ReadonlySet<MomentName> = new Set([
  "uiCall",
  "streamIn",
  "streamOut",
  "provision",
  "cleanup",
]);

/** The moments at which at least the other build's builder has. */
const OTHER_RUNS: ReadonlySet<MomentName> = new Set([
  ...HAS_MACHINE,
  "destroy",
  "shutdown",
]);

/** The moments that pass before the host can be killed unless the plugin blocks. */
const ONLY_BUSY: ReadonlySet<MomentName> = new Set([
  "afterHello",
  "cleanup",
  "shutdown",
]);

/** The moments at which the SDK does not handle the plugin's exit, and so does not terminate its children. */
const ON_ITS_OWN: ReadonlySet<MomentName> = new Set([
  "afterHello",
  "beforeHello",
  "halfHello",
  "shutdown",
]);

/** A moment, and what a plugin does then. */
interface Cell {
  readonly moment: MomentName;
  readonly how: PauseName;
}

/** Whether the SDK exits the plugin and terminates its children. */
function endsByItself({ moment, how }: Cell): boolean {
  return HAS_MACHINE.has(moment) ||
    how === "busy" && !ON_ITS_OWN.has(moment);
}

/** How long all processes may take to exit, in milliseconds: twice the longest duration. */
const EXIT_TIMEOUT_MS = 30_000;

/** Kills the reaper, which would kill processes that do not exit by themselves. */
async function killReaper(host: number): Promise<void> {
  const reaper = (await childrenOf(host))
    .find(({ command }) => command.includes("baler-reaper"));
  Deno.kill(reaper!.pid, "SIGKILL");
}

async function assertGone(
  kind: HostKind,
  moment: MomentName,
  how: PauseName,
  plugin: readonly string[],
): Promise<void> {
  const bench = await Workspace.make(kind);
  try {
    await using directory = await TemporaryDirectory.make();
    await using lifeline = await Lifeline.make(directory);
    const pausing = [...plugin, moment, how, lifeline.path];
    const steady = [...plugin, "never", "waiting", lifeline.path];
    const inProvisioner = moment === "provision";
    await bench.write("template.json", {
      plugins: {
        builders: { pausing: inProvisioner ? steady : pausing, steady },
        provisioners: { pausing: inProvisioner ? pausing : steady },
        "post-processors": { steady },
      },
      builders: [
        { type: "pausing", name: "one" },
        { type: "steady", name: "other", waits_for: "never" },
      ],
      provisioners: [{ type: "pausing", only: ["one"] }],
      "post-processors": [{ type: "steady", only: ["one"] }],
    });
    const run = bench.start(["build", "template.json"], {
      env: { BALER_LOG: "1" },
    });
    if (OTHER_RUNS.has(moment)) {
      await run.shows("one: the machine is up");
      await run.shows("other: the machine is up");
    }
    if (moment === "cleanup") run.kill("SIGINT");
    await run.shows(`last words ${moment}`);
    // The reaper must not do what the plugins can do by themselves.
    if (endsByItself({ moment, how })) await killReaper(run.pid);
    run.kill("SIGKILL");
    await lifeline.ended(EXIT_TIMEOUT_MS);
    await run.ended();
    await bench.assertNothingLeft();

    const files = await bench.names();
    const cleaned = async (name: string) => {
      assertEquals(files.includes(`${name}.machine`), false, files.join());
      assertMatch(
        await Deno.readTextFile(join(bench.path, `${name}.cleaned`)),
        moment === "cleanup" ? /SIGINT|baler has exited/ : /baler has exited/,
      );
    };
    if (HAS_MACHINE.has(moment)) await cleaned("one");
    if (OTHER_RUNS.has(moment)) await cleaned("other");
  } finally {
    await bench.clear();
  }
}

for (const kind of ["source", "compiled"] as const) {
  Deno.test({
    ...skippable(`plugins of a host that is killed (${kind})`, NOT_LINUX),
    async fn(test) {
      const plugin = kind === "source" ? FAULTY : [await compiledPlugin()];
      const cells = names(MOMENTS).flatMap((moment) =>
        names(PAUSES).map((how) => ({ moment, how }))
      ).filter(({ moment, how }) => how === "busy" || !ONLY_BUSY.has(moment));
      const steps = (byItself: boolean) =>
        cells.filter((cell) => endsByItself(cell) === byItself)
          .map(({ moment, how }) => ({
            name: `${MOMENTS[moment]}, where one ${PAUSES[how]}`,
            fn: () => assertGone(kind, moment, how, plugin),
          }));
      // The others wait for the reaper.
      await Promise.all([
        sideBySide(test, steps(false), 8),
        sideBySide(test, steps(true), navigator.hardwareConcurrency + 2),
      ]);
    },
  });
}

async function compiledPlugin(): Promise<string> {
  const [plugin] = await compile([{
    name: "faulty-plugin",
    entry: fromFileUrl(import.meta.resolve("../faults/faulty.ts")),
    flags: ["--allow-all"],
  }], { say: () => {} });
  return plugin!.path;
}

Deno.test({
  name:
    "a cleanup that shows signs of life outlasts a killed host by more than its grace period",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const bench = await Workspace.make("source");
    try {
      await bench.write("template.json", {
        plugins: { builders: { late: fixturePlugin("late_cleanup") } },
        builders: [{ type: "late" }],
      });
      const run = bench.start(["build", "template.json"]);
      await run.shows("late: up");
      run.kill("SIGKILL");
      await run.ended();
      const deadline = performance.now() + 2 * EXIT_TIMEOUT_MS;
      while (!(await bench.names()).includes("cleaned")) {
        if (performance.now() > deadline) throw new Error("it was killed");
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    } finally {
      await bench.clear();
    }
  },
});
