// What a process inherits or is given by the one that starts it, and what it
// leaves: signals that are ignored, limits, a FIFO as log, a template on stdin,
// processes that leave their group; and errors that no code handles.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  fixturePlugin,
  forEachHost,
  type Workspace,
} from "../support/harness.ts";

const isLinux = Deno.build.os === "linux";
const onLinux = { ignore: isLinux ? undefined : "Linux only" };

/** Runs the command that follows in a shell that was prepared. */
const afterShell = (prepare: string) => [
  "sh",
  "-c",
  `${prepare}; exec "$@"`,
  "sh",
];

const shellLocal = (...inline: string[]) => ({
  builders: [{ type: "null", communicator: "none" }],
  provisioners: [{ type: "shell-local", inline }],
});

forEachHost(
  "a build succeeds under a parent that ignores SIGCHLD",
  async (bench) => {
    const { stdout } = await bench.builds(shellLocal("echo done"), [], {
      through: afterShell("trap '' CHLD"),
    });
    assertStringIncludes(stdout, "null: done");
  },
);

forEachHost(
  "a file beyond the limit of its size fails its build, and no other",
  async (bench) => {
    // From source, Deno writes its cache before any code of the host runs.
    if (bench.kind === "source") return;
    await bench.write("template.json", {
      builders: [
        { type: "file", name: "large", content: "{{user `x`}}", target: "big" },
        { type: "file", name: "small", content: "x", target: "small" },
      ],
      variables: { x: "x".repeat(300_000) },
    });
    const { code, output, stdout } = await bench.baler(
      ["build", "template.json"],
      // In blocks of 512 bytes, or of 1024.
      { through: afterShell("ulimit -f 200") },
    );
    assertEquals(code, 1, output);
    assertStringIncludes(stdout.toLowerCase(), "file too large");
    assertEquals(await bench.read("small"), "x", output);
  },
  onLinux,
);

forEachHost(
  "a process that leaves its group and clears its environment is ended",
  async (bench) => {
    // Only the compiled host has --allow-ffi here, which this needs.
    if (bench.kind === "source") return;
    await bench.builds(shellLocal(
      `setsid env -i sh -c 'echo $$ > pid; exec sleep 600' > /dev/null 2>&1 &`,
      "while ! test -s pid; do sleep 0.05; done",
    ));
    const pid = Number(await bench.read("pid"));
    assert(pid > 1, `${pid}`);
    assert(!await isRunning(pid), `process ${pid} is left`);
  },
  onLinux,
);

/** Whether a process exists, and is no zombie. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !==
      "Z";
  } catch {
    return false;
  }
}

forEachHost(
  "a FIFO can be the log, and all of it is there at the end",
  async (bench) => {
    const { success } = await new Deno.Command("mkfifo", {
      args: [bench.at("log")],
    }).output();
    assert(success);
    const reader = new Deno.Command("cat", {
      args: [bench.at("log")],
      stdout: "piped",
    }).spawn();
    await bench.builds(
      shellLocal(
        "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done",
      ),
      [],
      { env: { BALER_LOG: "1", BALER_LOG_PATH: bench.at("log") } },
    );
    const { stdout } = await reader.output();
    const lines = new TextDecoder().decode(stdout).match(
      / ui: +null: line \d+$/gm,
    );
    assertEquals(lines?.length, 2000);
  },
  { ignore: Deno.build.os === "windows" ? "no FIFOs" : undefined },
);

forEachHost(
  "{{template_dir}} of a template on stdin is the working directory",
  async (bench) => {
    const template = JSON.stringify(shellLocal("echo dir={{template_dir}}."));
    for (const command of ["validate", "build"]) {
      const { stdout } = await bench.succeeds([command, "-"], {
        stdin: template,
      });
      if (command === "build") {
        assertStringIncludes(stdout, `dir=${bench.path}.`);
      }
    }
  },
);

forEachHost(
  "a build warns of variables that are not UTF-8",
  async (bench) => {
    // Only the compiled host has --allow-ffi here, which this needs.
    if (bench.kind === "source") return;
    const { stdout } = await bench.builds(
      shellLocal("echo ${SPOILT-unset}"),
      [],
      {
        through: afterShell("SPOILT=$(printf 'caf\\351'); export SPOILT"),
      },
    );
    assertStringIncludes(
      stdout,
      "Warning: the environment variable SPOILT is not UTF-8.",
    );
    assertStringIncludes(stdout, "null: unset");
  },
  onLinux,
);

const hookRuns = (bench: Workspace, type: string, provisioner: string) =>
  bench.write("template.json", {
    plugins: {
      builders: { [type]: fixturePlugin("hook_runs") },
      provisioners: { [provisioner]: fixturePlugin("hook_runs") },
    },
    builders: [{ type }],
    provisioners: [{ type: provisioner }],
    "error-cleanup-provisioner": {
      type: "shell-local",
      inline: ["touch cleaned"],
    },
  });

const NOT_RUN = "the error-cleanup-provisioner was not run";

forEachHost(
  "a builder that runs no cleanup provisioner is named",
  async (bench) => {
    await hookRuns(bench, "no-cleanup", "fails");
    for (
      const [choice, warns] of [
        ["cleanup", true],
        ["run-cleanup-provisioner", true],
        ["abort", false],
      ] as const
    ) {
      const { code, stdout, output } = await bench.baler(
        ["build", `-on-error=${choice}`, "template.json"],
      );
      assertEquals(code, 1, output);
      assertEquals(stdout.includes(NOT_RUN), warns, output);
    }
  },
);

forEachHost(
  "at most 16 runs of a hook are at work at a time",
  async (bench) => {
    await hookRuns(bench, "many-runs", "counts");
    const { stdout } = await bench.succeeds(["build", "template.json"]);
    assertStringIncludes(stdout, "40 runs, at most 16 at a time");
  },
);

Deno.test("an error that no code handles fails the run, and builds go on", async () => {
  const directory = await Deno.makeTempDir({ prefix: "baler-test-" });
  try {
    // Rejects a promise while a build runs, as a fault in the host would.
    await Deno.writeTextFile(
      `${directory}/fault.ts`,
      `const timer = setInterval(() => {
        try { Deno.statSync("started"); } catch { return; }
        clearInterval(timer);
        setTimeout(() => Deno.writeTextFileSync("failed", ""));
        Promise.reject(new Error("a stray error"));
      }, 10);
      Deno.unrefTimer(timer);
      await import(${JSON.stringify(import.meta.resolve("../../cli.ts"))});`,
    );
    await Deno.writeTextFile(
      `${directory}/template.json`,
      JSON.stringify(shellLocal(
        "touch started; while ! test -e failed; do sleep 0.05; done; echo on",
      )),
    );
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--allow-all",
        `--config=${new URL("../../deno.json", import.meta.url).pathname}`,
        "fault.ts",
        "build",
        "template.json",
      ],
      cwd: directory,
      stdin: "null",
    }).output();
    const output = new TextDecoder().decode(stdout) +
      new TextDecoder().decode(stderr);
    assertEquals(code, 1, output);
    assertStringIncludes(output, "null: on");
    assertStringIncludes(output, "Build 'null' finished");
    assertStringIncludes(output, "a stray error");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
