// Steps: run in order, cleaned up in reverse, with -debug and -on-error.

import { assertEquals, assertRejects } from "@std/assert";
import {
  provisionStep,
  runSteps,
  type Step,
} from "../../plugin/builder/mod.ts";
import type { OnError } from "../../plugin/contract/build_context.ts";
import type { Ui } from "../../plugin/contract/ui.ts";

interface Run {
  lines: string[];
  answers?: string[];
  abort: AbortController;
}

function start(
  steps: Step<Run>[],
  { onError = "cleanup", debug = false, answers }: {
    onError?: OnError;
    debug?: boolean;
    answers?: string[];
  } = {},
): { run: Run; done: Promise<void> } {
  const run: Run = { lines: [], abort: new AbortController() };
  const show = (kind: string) => (line: string) =>
    void run.lines.push(`${kind}${line}`);
  const ui: Ui = {
    say: show(""),
    message: show(""),
    error: show("error: "),
    machine() {},
    progress() {},
    ask(query) {
      run.lines.push(`ask: ${query.split(".")[0]!.slice(0, 60)}`);
      const answer = answers?.shift();
      if (answer === undefined) throw new Error("nobody answers");
      return answer;
    },
  };
  return {
    run,
    done: runSteps(steps, run, {
      ui,
      signal: run.abort.signal,
      build: { debug, onError },
    }),
  };
}

function step(
  name: string,
  run?: (run: Run) => void | Promise<void>,
): Step<Run> {
  return {
    name,
    async run(state) {
      state.lines.push(`run ${name}`);
      await run?.(state);
    },
    cleanup(state) {
      state.lines.push(`cleanup ${name}`);
    },
  };
}

const failing = (name: string) =>
  step(name, () => {
    throw new Error(`${name} is broken`);
  });

Deno.test("runSteps() runs in order and cleans up in reverse", async () => {
  const { run, done } = start([step("a"), step("b")]);
  await done;
  assertEquals(run.lines, ["run a", "run b", "cleanup b", "cleanup a"]);
});

Deno.test("runSteps() cleans up a step that failed, and no later one", async () => {
  const { run, done } = start([step("a"), failing("b"), step("c")]);
  await assertRejects(() => done, Error, "b is broken");
  assertEquals(run.lines, ["run a", "run b", "cleanup b", "cleanup a"]);
});

Deno.test("runSteps() cleans up on after a cleanup that failed", async () => {
  const b: Step<Run> = {
    name: "b",
    run() {},
    cleanup() {
      throw new Error("stuck");
    },
  };
  const { run, done } = start([step("a"), b]);
  await assertRejects(() => done, Error, "some steps could not be cleaned up");
  assertEquals(run.lines, [
    "run a",
    'error: Cleanup of step "b" failed: stuck',
    "cleanup a",
  ]);
});

Deno.test("runSteps() leaves all as it is under -on-error=abort", async () => {
  const { run, done } = start([step("a"), failing("b")], { onError: "abort" });
  await assertRejects(() => done, Error, "b is broken");
  assertEquals(run.lines, [
    "run a",
    "run b",
    "error: b is broken",
    'error: Step "b" failed, aborting...',
    'error: aborted: skipping cleanup of step "a"',
  ]);
});

Deno.test("runSteps() asks, retries and cleans up under -on-error=ask", async () => {
  let times = 0;
  const flaky = step("b", () => {
    if (++times < 3) throw new Error(`failure ${times}`);
  });
  const { run, done } = start([step("a"), flaky], {
    onError: "ask",
    answers: ["r", "what?", "retry"],
  });
  await done;
  const question =
    "ask: [c] Clean up and exit, [a] abort without cleanup, or [r] ret";
  assertEquals(run.lines, [
    "run a",
    "run b",
    "error: failure 1",
    'Step "b" failed',
    question,
    "run b",
    "error: failure 2",
    'Step "b" failed',
    question,
    'Incorrect input: "what?"',
    question,
    "run b",
    "cleanup b",
    "cleanup a",
  ]);
});

Deno.test("runSteps() cleans up when nobody can be asked", async () => {
  const { run, done } = start([step("a"), failing("b")], { onError: "ask" });
  await assertRejects(() => done, Error, "b is broken");
  assertEquals(run.lines.slice(-2), ["cleanup b", "cleanup a"]);
});

Deno.test("runSteps() aborts without cleanup when asked to", async () => {
  const { run, done } = start([step("a"), failing("b")], {
    onError: "ask",
    answers: ["a"],
  });
  await assertRejects(() => done, Error, "b is broken");
  assertEquals(
    run.lines.at(-1),
    'error: aborted: skipping cleanup of step "a"',
  );
});

Deno.test("runSteps() pauses under -debug, also before cleanups", async () => {
  const { run, done } = start([step("a"), step("b")], {
    debug: true,
    answers: ["", "", "", ""],
  });
  await done;
  assertEquals(run.lines, [
    "run a",
    "ask: Pausing after run of step 'a'",
    "run b",
    "ask: Pausing after run of step 'b'",
    "ask: Pausing before cleanup of step 'b'",
    "cleanup b",
    "ask: Pausing before cleanup of step 'a'",
    "cleanup a",
  ]);
});

Deno.test("runSteps() cleans up once when the build is cancelled", async () => {
  const { run, done } = start([
    step("a"),
    step("b", ({ abort }) => abort.abort(new Error("cancelled"))),
    step("c"),
  ]);
  await assertRejects(() => done, Error, "cancelled");
  assertEquals(run.lines, ["run a", "run b", "cleanup b", "cleanup a"]);
});

Deno.test("runSteps() cleans up when the ui is gone", async () => {
  const gone = () => Promise.reject(new Error("the host is gone"));
  const lines: string[] = [];
  const ui = {
    say: gone,
    message: gone,
    error: gone,
    machine: gone,
    progress: gone,
    ask: gone,
  } as unknown as Ui;
  await assertRejects(
    () =>
      runSteps(
        [{
          name: "a",
          run() {},
          cleanup: () => void lines.push("cleanup a"),
        }, {
          name: "b",
          run() {
            throw new Error("b is broken");
          },
          cleanup() {
            lines.push("cleanup b");
            throw new Error("stuck");
          },
        }],
        {},
        {
          ui,
          signal: new AbortController().signal,
          build: { debug: true, onError: "cleanup" },
        },
      ),
    Error,
    "b is broken",
  );
  assertEquals(lines, ["cleanup b", "cleanup a"]);
});

Deno.test("provisionStep() runs the error-cleanup provisioner as -on-error says", async () => {
  const provisioned = async (onError: OnError) => {
    const { run, done } = start([
      step("StepConnect"),
      provisionStep<Run>({
        hook: {
          run({ name, data, communicator }) {
            assertEquals(data, { ID: "i-1" });
            assertEquals(communicator, undefined);
            run.lines.push(name);
            if (name === "provision") throw new Error("no network");
          },
        },
        data: () => ({ ID: "i-1" }),
      }),
    ], { onError });
    await assertRejects(() => done, Error, "no network");
    return run.lines;
  };
  const cleanup =
    "Provisioning step had errors: Running the cleanup provisioner, if present...";
  assertEquals(await provisioned("cleanup"), [
    "run StepConnect",
    "provision",
    cleanup,
    "cleanup-provision",
    "cleanup StepConnect",
  ]);
  assertEquals(await provisioned("run-cleanup-provisioner"), [
    "run StepConnect",
    "provision",
    cleanup,
    "cleanup-provision",
    "error: no network",
    'error: Step "StepConnect" failed, aborting...',
  ]);
  assertEquals(await provisioned("abort"), [
    "run StepConnect",
    "provision",
    "error: no network",
    'error: Step "StepProvision" failed, aborting...',
    'error: aborted: skipping cleanup of step "StepConnect"',
  ]);
});

Deno.test("provisionStep() tells the error of the error-cleanup provisioner too", async () => {
  const { done } = start([
    provisionStep<Run>({
      hook: {
        run({ name }) {
          throw new Error(`${name} failed`);
        },
      },
    }),
  ]);
  await assertRejects(
    () => done,
    Error,
    "Cleanup failed: cleanup-provision failed. Original Provisioning error: provision failed",
  );
});
