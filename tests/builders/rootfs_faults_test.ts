// Whatever ends a build of rootfs, and whenever: no process, mount, directory or output is left. At each phase the
// build waits in a program of the test's, so that it cannot go on before what ends it has come.

import { assert, assertEquals } from "@std/assert";
import { dirname } from "@std/path";
import {
  forEachHost,
  type Running,
  type Workspace,
} from "../support/harness.ts";
import { childrenOf } from "../support/processes.ts";
import {
  noNamespaces,
  rootfsPlugin,
  writeRootArchive,
} from "../support/root_file_system.ts";

/** How long all may take to be gone, in milliseconds: twice what it takes at the most. */
const BOUND_MS = 60_000;

/** The phases of a build, each with what its output shows then. */
const PHASES = {
  unpack: /rootfs: I: it waits/,
  provision: /rootfs: it is up/,
  write: /Writing rootfs\.tar\.zst/,
} as const;

type Phase = keyof typeof PHASES;

/** What ends a build, and the exit code of the host. */
const DEATHS = {
  "Ctrl-C": { code: 130, end: (run: Running) => run.kill("SIGINT") },
  "a killed host": { code: 137, end: (run: Running) => run.kill("SIGKILL") },
  "a killed plugin": {
    code: 1,
    end: async (run: Running) => Deno.kill(await pluginOf(run), "SIGKILL"),
  },
  "a stopped plugin": {
    code: 1,
    end: async (run: Running) => Deno.kill(await pluginOf(run), "SIGSTOP"),
  },
} as const;

/** The process of the plugin. */
async function pluginOf(run: Running): Promise<number> {
  const children = await childrenOf(run.pid);
  const found = children.find(({ command }) =>
    /baler-builder-rootfs|builders\/rootfs\/main\.ts/.test(command)
  );
  assert(found, children.map(({ command }) => command).join("\n"));
  return found.pid;
}

async function start(workspace: Workspace, phase: Phase): Promise<Running> {
  // The number tells its processes from all others of this machine.
  const seconds = numberOf(workspace);
  await workspace.write(
    "bin/mmdebstrap",
    `#!/bin/sh
mkdir -p "$TMPDIR/left/in"
echo left >"$TMPDIR/left/in/file"
chown 33:42 "$TMPDIR/left/in"
chmod 0 "$TMPDIR/left"
setsid sleep ${seconds} &
echo "I: it waits" >&2
exec sleep ${seconds}
`,
    { mode: 0o755 },
  );
  await workspace.write("bin/zstd", `#!/bin/sh\nexec sleep ${seconds}\n`, {
    mode: 0o755,
  });
  await writeRootArchive(workspace.at("source.tar"));
  await workspace.write("template.json", {
    plugins: { builders: { rootfs: await rootfsPlugin(workspace.kind) } },
    builders: [{
      type: "rootfs",
      ...phase === "unpack"
        ? { mmdebstrap_suite: "bookworm" }
        : { source_tar: "source.tar" },
      ...{ output_directory: "out", formats: ["tar", "tar.zst"] },
    }],
    provisioners: phase === "provision"
      ? [{
        type: "shell",
        inline: [
          "mkdir /closed; chown 33:42 /closed; chmod 0 /closed",
          "mkdir /mnt; mount -t tmpfs tmpfs /mnt; touch /mnt/file",
          `setsid sleep ${seconds} >/dev/null 2>&1 &`,
          "echo it is up",
          `sleep ${seconds}`,
        ],
      }]
      : [],
  });
  const run = workspace.start(["build", "template.json"], {
    env: {
      PATH: `${workspace.at("bin")}:${Deno.env.get("PATH")}`,
      BALER_PLUGIN_ANSWER_TIMEOUT: "6s",
      BALER_PLUGIN_GRACE: "6s",
    },
  });
  await run.shows(PHASES[phase]);
  return run;
}

/** A number of seconds that no other process sleeps for. */
function numberOf(workspace: Workspace): string {
  let hash = 7;
  for (const character of workspace.path) {
    hash = (hash * 31 + character.charCodeAt(0)) % 1_000_000_007;
  }
  return `100000.${hash}`;
}

/** The processes whose command line has a text. */
async function processesWith(...texts: string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === Deno.pid) continue;
    const command = await Deno.readTextFile(`/proc/${name}/cmdline`)
      .catch(() => "");
    if (texts.some((text) => command.includes(text))) {
      found.push(`${name} ${command.replaceAll("\0", " ")}`);
    }
  }
  return found;
}

async function assertGone(workspace: Workspace): Promise<void> {
  const deadline = performance.now() + BOUND_MS;
  const marks = [
    numberOf(workspace),
    `${dirname(workspace.path)}/tmp/baler-rootfs`,
  ];
  let left = await processesWith(...marks);
  while (left.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    left = await processesWith(...marks);
  }
  assertEquals(left, [], "processes are left");
  await workspace.assertNothingLeft();
  assertEquals(await workspace.names(), ["bin", "source.tar", "template.json"]);
  const mounts = await Deno.readTextFile("/proc/self/mountinfo");
  assert(!mounts.includes(dirname(workspace.path)), mounts);
}

for (const phase of Object.keys(PHASES) as Phase[]) {
  for (const [death, { code, end }] of Object.entries(DEATHS)) {
    forEachHost(
      `rootfs leaves nothing after ${death} in the phase ${phase}`,
      async (workspace) => {
        const run = await start(workspace, phase);
        await end(run);
        const ended = await run.ended();
        assertEquals(ended.code, code, ended.output);
        await assertGone(workspace);
      },
      { ignore: noNamespaces, limitMs: 200_000 },
    );
  }
}
