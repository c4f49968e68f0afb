// One cell of the fault matrix: a template with two builds, of which one has the plugin that goes
// wrong, built by a real host. What it promises is asserted here, the same for every cell.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { type Ended, type HostKind, Workspace } from "../support/harness.ts";
import { type FaultName, HANGS, type MomentName } from "./matrix.ts";
import { within } from "../support/within.ts";

/** The plugin that can go wrong, run from its source. */
export const FAULTY: readonly string[] = [
  Deno.execPath(),
  "run",
  "--quiet",
  "--no-prompt",
  "--allow-all",
  fromFileUrl(import.meta.resolve("./faulty.ts")),
];

/** How long a cell may take, in seconds, under any load. */
const BOUND_MS = 60_000;

/** The graces that leave a closed stdout, which shows within 2 s, the time to be what is told; a cancelled build gets twice the grace. */
const GRACES: Readonly<Partial<Record<MomentName, string>>> = {
  cleanup: "5s",
  shutdown: "6s",
};

/** The error message for each fault. */
const EXPECTED_FAULT: Readonly<Record<FaultName, RegExp>> = {
  exit0: /exited with code 0/,
  exit3: /exited with code 3/,
  uncaught: /exited with code 1\b[^]*nobody catches this/,
  rejection: /exited with code 1\b[^]*nobody awaits this/,
  sigkill: /was killed by SIGKILL/,
  sigsegv: /was killed by SIGSEGV/,
  closedStdout: /closed its stdout/,
  garbage: /bytes on stdout are not messages|is not a message/,
  truncated: /closed its stdout|is not a message/,
  sigstop: /within \d+ s\b|did not respond/,
  loop: /within \d+ s\b|did not respond/,
};

/** The activity of the plugin that the error message names. */
const EXPECTED_ACTIVITY: Readonly<Record<MomentName, RegExp>> = {
  beforeHello: /handshake|not a baler plugin/,
  halfHello: /handshake|not a baler plugin/,
  // Calls that take no turn of its event loop may be answered before it dies.
  afterHello: /create|prepare|\brun\b/,
  prepare: /prepare/,
  uiCall: /\brun\b/,
  streamIn: /\b(run|upload)\b/,
  streamOut: /\b(run|download)\b/,
  provision: /\bprovision/,
  destroy: /destroy/,
  cleanup: /cancelled|\brun\b/,
  shutdown: /shut|end/,
};

/** Builds with a plugin that fails, and asserts the guarantees of the host. */
export async function assertCell(
  kind: HostKind,
  moment: MomentName,
  fault: FaultName,
  plugin = FAULTY,
): Promise<void> {
  const bench = await Workspace.make(kind);
  try {
    const ended = await within(
      "the end of baler",
      build(bench, moment, fault, plugin),
      BOUND_MS,
    );
    try {
      await assertPromises(bench, moment, fault, plugin, ended);
    } catch (error) {
      throw new Error(
        `${(error as Error).message}\n\n${ended.stdout}`,
        { cause: error },
      );
    }
  } finally {
    await bench.clear();
  }
}

async function build(
  bench: Workspace,
  moment: MomentName,
  fault: FaultName,
  plugin: readonly string[],
): Promise<Ended> {
  const faulty = [...plugin, moment, fault];
  const kinds = moment === "provision" ? "provisioners" : "builders";
  await bench.write("template.json", {
    plugins: {
      builders: { steady: plugin },
      provisioners: { steady: plugin },
      "post-processors": { steady: plugin },
      [kinds]: { steady: plugin, faulty },
    },
    builders: [
      { type: kinds === "builders" ? "faulty" : "steady", name: "one" },
      { type: "steady", name: "other", waits_for: "go" },
    ],
    provisioners: [
      { type: kinds === "provisioners" ? "faulty" : "steady", only: ["one"] },
    ],
    "post-processors": [{ type: "steady", only: ["one"] }],
  });
  const run = bench.start(["build", "-color=false", "template.json"], {
    env: {
      // The error contains the plugin's last lines with and without a log.
      BALER_LOG: bench.kind === "compiled" ? "1" : "",
      BALER_PLUGIN_GRACE: GRACES[moment] ?? "3s",
      ...(HANGS.has(fault)
        ? {
          BALER_PLUGIN_START_TIMEOUT: "6s",
          BALER_PLUGIN_ANSWER_TIMEOUT: "6s",
        }
        : {}),
    },
  });
  const ended = run.ended();
  if (moment === "cleanup") {
    await run.shows("one: the machine is up");
    await run.shows("other: the machine is up");
    run.kill("SIGINT");
  } else {
    // The other build is still running when this one has failed, and continues.
    await run.shows(/Build 'one' (errored|finished)|prepare build: "one"/);
    await run.shows("other: the machine is up");
    await bench.write("go", "");
  }
  return await ended;
}

async function assertPromises(
  bench: Workspace,
  moment: MomentName,
  fault: FaultName,
  plugin: readonly string[],
  ended: Ended,
): Promise<void> {
  const isCancelled = moment === "cleanup";
  // A plugin that has done its work and exits with 0 does what it should.
  const isUsual = moment === "shutdown" && fault === "exit0";
  const text = errorOf(ended, isCancelled);
  if (moment === "shutdown") {
    assertMatch(ended.stdout, /--> one: the file .*\/one\.post$/m);
  }
  if (isUsual) assertEquals(text, undefined);
  else {
    if (text === undefined) throw new Error("there is no error of the build");
    // Its path, how it exited, the call in flight, and its last lines.
    assert(
      text.includes(`${moment} ${fault}`),
      `the plugin is not named in: ${text}`,
    );
    // Its output is not read any more after it was told to shut down.
    const isUnheard = moment === "shutdown" && fault === "garbage";
    assertMatch(text, EXPECTED_FAULT[isUnheard ? "loop" : fault]);
    const label = [...plugin, moment, fault].join(" ");
    assertMatch(text.replaceAll(label, ""), EXPECTED_ACTIVITY[moment]);
    assertMatch(text, new RegExp(`^ {4}last words ${moment}$`, "m"));
    // deno-lint-ignore no-control-regex
    assert(!/\x1b|\x00/.test(text), "control characters in the error");
  }
  assertEquals(ended.code, isCancelled ? 130 : isUsual ? 0 : 1);
  await assertFiles(bench, moment, isCancelled);
  await bench.assertNothingLeft();
}

/** Checks that the host reports the failed build `one` once, and nothing about the other. */
function errorOf(
  { stdout }: Ended,
  isCancelled: boolean,
): string | undefined {
  const early = stdout.split('Failed to prepare build: "one"');
  const late = stdout.split("\n--> one: ").filter((part, index) =>
    index === 0 || !part.startsWith("the file ")
  );
  assert(
    early.length + late.length <= 3,
    "the error of the build is told more than once",
  );
  if (!isCancelled) assert(!/^--> other: (?!the file )/m.test(stdout));
  const text = early.length > 1 ? `prepare build ${early[1]}` : late[1];
  return text?.split(/\n(?:-->|==>) /)[0];
}

/** Whoever was alive has cleaned up, and the other build has done what it should. */
async function assertFiles(
  bench: Workspace,
  moment: MomentName,
  isCancelled: boolean,
): Promise<void> {
  const files = new Set(await bench.names());
  const has = (name: string, wanted: boolean) =>
    assertEquals(files.has(name), wanted, `${name} in ${[...files]}`);
  if (!isCancelled) has("other.out", true);
  has("other.machine", false);
  const isBuilderAlive = moment === "provision" || moment === "destroy" ||
    moment === "shutdown";
  if (isBuilderAlive) {
    has("one.cleaned", true);
    has("one.machine", false);
  }
  has("one.post", moment === "destroy" || moment === "shutdown");
}
