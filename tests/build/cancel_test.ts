// Ctrl-C, SIGTERM and SIGHUP: the first cancels the builds, which clean up; the second kills everything at
// once; nothing is left after either.

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { ProvisionHook } from "../../host/build/provision_hook.ts";
import {
  HOOK_PROVISION,
  type HookOptions,
} from "../../plugin/contract/hook.ts";
import type {
  Provisioner,
  ProvisionOptions,
} from "../../plugin/contract/provisioner.ts";
import type { Ui } from "../../plugin/contract/ui.ts";
import {
  assertForPeople,
  fixturePlugin,
  forEachHost,
  type Running,
  type Workspace,
} from "../support/harness.ts";
import { within } from "../support/within.ts";
import { childrenOf } from "../support/processes.ts";
import { NOT_LINUX } from "../support/programs.ts";

const SIGNALS = [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const;

// A shell that starts background processes, some in another session, and waits.
const SLEEPING = [
  "sleep 600 & sleep 601 &",
  "(sleep 602 & sleep 603) &",
  "echo asleep",
  "sleep 600",
];

async function start(bench: Workspace, template: unknown): Promise<Running> {
  await bench.write("template.json", template);
  return bench.start(["build", "template.json"]);
}

for (const [signal, code] of SIGNALS) {
  forEachHost(
    `${signal} cancels a build, exit code ${code}, and its shells end with all they started`,
    async (bench) => {
      const run = await start(bench, {
        builders: [{ type: "file", content: "x", target: "x.txt" }],
        provisioners: [{ type: "shell-local", inline: SLEEPING }],
        "post-processors": [{ type: "shell-local", inline: ["touch post"] }],
      });
      await run.shows("file: asleep");
      run.kill(signal);
      const ended = await within("the end", run.ended(), 20_000);
      assertEquals(ended.code, code, ended.output);
      assertForPeople(ended);
      assertStringIncludes(ended.output, signal);
      // The builder removed what it had created, and nothing ran after it.
      assertEquals(await bench.names(), ["template.json"]);
    },
  );
}

forEachHost(
  "SIGINT kills the command that a provisioner runs over the builder's communicator",
  async (bench) => {
    const run = await start(bench, {
      builders: [{ type: "null", communicator: "local" }],
      provisioners: [{ type: "shell", inline: SLEEPING }],
    });
    await run.shows("null: asleep");
    run.kill("SIGINT");
    assertEquals((await within("the end", run.ended(), 20_000)).code, 130);
  },
);

/** A build whose plugin ignores the cancellation, with a grace period of half a second. */
async function startDeaf(bench: Workspace): Promise<Running> {
  await new Deno.Command("mkfifo", { args: [bench.at("never")] }).output();
  await bench.write("template.json", {
    builders: {
      deaf: {
        plugin: fixturePlugin("scripted_ui"),
        steps: [{ say: "deaf" }, { await: "never" }],
      },
    },
  });
  const run = bench.start(["build", "template.json"], {
    env: { BALER_PLUGIN_GRACE: "0.5s" },
  });
  await run.shows("deaf: deaf");
  return run;
}

forEachHost(
  "a plugin that does not respond after Ctrl-C is killed, and named",
  async (bench) => {
    const run = await startDeaf(bench);
    const { stdout } = await new Deno.Command("ps", {
      args: ["-o", "pid=,args=", "--ppid", String(run.pid)],
    }).output();
    const [plugin] = new TextDecoder().decode(stdout).split("\n")
      .filter((line) => /scripted_ui/.test(line));
    Deno.kill(parseInt(plugin!), "SIGSTOP");
    run.kill("SIGINT");
    const ended = await within("the end", run.ended(), 30000);
    assertEquals(ended.code, 130, ended.output);
    assertStringIncludes(
      ended.output,
      "did not respond for 1 s since it was cancelled",
    );
  },
  { ignore: NOT_LINUX },
);

forEachHost(
  "a plugin that cleans up after Ctrl-C has no time limit, and a second Ctrl-C kills it",
  async (bench) => {
    const run = await startDeaf(bench);
    run.kill("SIGINT");
    // Far beyond the grace period, so the message is repeated.
    await run.shows(/(Still cleaning up: [^]*){4}/);
    run.kill("SIGINT");
    const ended = await within("the end", run.ended(), 20000);
    assertEquals(ended.code, 130, ended.output);
    assertMatch(
      ended.output,
      /^==> deaf: Still cleaning up: .*scripted_ui.*\. Press Ctrl-C again to kill it\.$/m,
    );
    assertMatch(
      ended.stderr,
      /^Killed by the second SIGINT\. These builds may not have been cleaned up: deaf\.$/m,
    );
  },
);

Deno.test("a provisioner's timeout aborts it whatever the builder's ui does", async () => {
  const uis: Record<string, () => Promise<void>> = {
    "never answers": () => new Promise(() => {}),
    fails: () => Promise.reject(new Error("no")),
    throws() {
      throw new Error("no");
    },
  };
  for (const [how, error] of Object.entries(uis)) {
    const ui = { say() {}, error } as unknown as Ui;
    const hook = new ProvisionHook({
      ui,
      debug: false,
      signal: new AbortController().signal,
      steps: [{
        name: "slow",
        pauseBefore: 0,
        maxRetries: 0,
        timeout: 1,
        component: {
          provision: ({ signal }: ProvisionOptions) =>
            new Promise((_, reject) => {
              signal.addEventListener("abort", () => reject(signal.reason));
            }),
        } as unknown as Provisioner,
      }],
    });
    const failed = await assertRejects(
      () =>
        within(
          "the end",
          hook.run({ name: HOOK_PROVISION, ui } as HookOptions),
          20_000,
        ),
      Error,
      undefined,
      how,
    );
    assertEquals(failed.name, "TimeoutError", how);
  }
});

forEachHost("SIGINT cancels a running post-processor", async (bench) => {
  const run = await start(bench, {
    builders: [{ type: "file", content: "x", target: "x.txt" }],
    "post-processors": [{ type: "shell-local", inline: SLEEPING }],
  });
  await run.shows("asleep");
  run.kill("SIGINT");
  assertEquals((await within("the end", run.ended(), 20_000)).code, 130);
});

forEachHost("SIGINT cancels a pause before a provisioner", async (bench) => {
  const run = await start(bench, {
    builders: [{ type: "null", communicator: "local" }],
    provisioners: [{ type: "shell", pause_before: "10m", inline: ["true"] }],
  });
  await run.shows("Pausing 10m");
  run.kill("SIGINT");
  assertEquals((await within("the end", run.ended(), 20_000)).code, 130);
});

forEachHost(
  "SIGINT cancels an unanswered question",
  async (bench) => {
    await bench.write("template.json", {
      builders: [{ type: "null", communicator: "local" }],
      provisioners: [{ type: "breakpoint" }],
    });
    const run = bench.start(["build", "template.json"]);
    await run.write("");
    await run.shows(/breakpoint/i);
    run.kill("SIGINT");
    assertEquals((await within("the end", run.ended(), 20_000)).code, 130);
  },
);

forEachHost(
  "SIGINT lets a builder remove its machine",
  async (bench) => {
    const run = await start(bench, {
      builders: { cloud: fixturePlugin("slow_cleanup") },
    });
    await run.shows("The machine is up");
    run.kill("SIGINT");
    const { code, stdout } = await within("the end", run.ended(), 20_000);
    assertEquals(code, 130, stdout);
    assertStringIncludes(stdout, "==> cloud: Taking the machine down");
    assertEquals(await bench.names(), ["template.json"]);
  },
);

for (const [signal, code] of SIGNALS) {
  forEachHost(
    `${signal} again kills a cleanup that does not finish`,
    async (bench) => {
      const run = await start(bench, {
        builders: {
          cloud: { plugin: fixturePlugin("slow_cleanup"), stubborn: true },
        },
      });
      await run.shows("The machine is up");
      run.kill(signal);
      await run.shows("Taking the machine down");
      run.kill(signal);
      const { code: actual, output } = await within(
        "the end",
        run.ended(),
        20_000,
      );
      assertEquals(actual, code, output);
      // Killed builds are not reported as failed.
      assert(!/errored|ended by|exited/.test(output), output);
    },
  );
}

forEachHost(
  "a signal to the plugins, as from a terminal, does not disturb the cleanup",
  async (bench) => {
    const run = await start(bench, {
      builders: { cloud: fixturePlugin("slow_cleanup") },
    });
    await run.shows("The machine is up");
    const children = await childrenOf(run.pid);
    assert(children.length > 0);
    for (const { pid } of [...children, run]) {
      Deno.kill(pid, "SIGINT");
    }
    const ended = await within("the end", run.ended(), 20_000);
    assertEquals(ended.code, 130, ended.output);
    assertStringIncludes(ended.stdout, "Taking the machine down");
  },
  { ignore: NOT_LINUX },
);

forEachHost(
  "a build whose output has no reader any more is cancelled, and cleans up",
  async (bench) => {
    const run = await start(bench, {
      builders: [{ type: "file", content: "x", target: "x.txt" }],
      provisioners: [{
        type: "shell-local",
        inline: ["echo first", "while true; do echo more; sleep 0.05; done"],
      }],
    });
    await run.shows("first");
    await run.closeStdout();
    const ended = await within("the end", run.ended(), 20_000);
    assert(ended.code !== 0, ended.output);
    assertForPeople(ended);
    assertEquals(await bench.names(), ["template.json"]);
  },
);

forEachHost(
  "a second Ctrl-C while a script is being uploaded leaves nothing of the script",
  async (bench) => {
    const run = await start(bench, {
      builders: {
        cloud: { plugin: fixturePlugin("slow_cleanup"), stubborn: true },
      },
      provisioners: [{ type: "shell", inline: ["true"] }],
    });
    await run.shows("Receiving a script");
    assertEquals((await temporaryFiles(bench)).length, 1);
    run.kill("SIGINT");
    // Neither the upload nor its timeout ends before.
    const gone = async () => {
      while ((await temporaryFiles(bench)).length > 0) await pause();
    };
    await within("the end of the file", gone(), 20_000);
    run.kill("SIGINT");
    const ended = await within("the end", run.ended(), 20_000);
    assertEquals(ended.code, 130, ended.output);
  },
);

forEachHost(
  "a plugin that is killed while a script runs leaves neither the script's file nor its processes",
  async (bench) => {
    const run = await start(bench, {
      builders: [{ type: "file", content: "x", target: "x.txt" }],
      provisioners: [{ type: "shell-local", inline: SLEEPING }],
    });
    await run.shows("file: asleep");
    assertEquals((await temporaryFiles(bench)).length, 1);
    const bundled = (await childrenOf(run.pid))
      .find(({ command }) => / plugin$/.test(command));
    Deno.kill(bundled!.pid, "SIGKILL");
    const ended = await within("the end", run.ended(), 20_000);
    assertEquals(ended.code, 1, ended.output);
    assertStringIncludes(ended.output, "SIGKILL");
    // The workspace checks at its end that nothing is left.
  },
  { ignore: NOT_LINUX },
);

/** The temporary files of scripts. */
async function temporaryFiles(bench: Workspace): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(bench.env.TMPDIR!));
  return names.map(({ name }) => name)
    .filter((name) => name.startsWith("baler-shell"));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

forEachHost(
  "when baler is killed, all processes that it started exit",
  async (bench) => {
    const run = await start(bench, {
      builders: [
        { type: "null", name: "one", communicator: "local" },
        { type: "null", name: "two", communicator: "local" },
      ],
      provisioners: [
        { type: "shell-local", inline: SLEEPING, only: ["one"] },
        { type: "shell", inline: SLEEPING, only: ["two"] },
      ],
    });
    await run.shows("one: asleep");
    await run.shows("two: asleep");
    run.kill("SIGKILL");
    await within("the end", run.ended(), 20_000);
  },
);
