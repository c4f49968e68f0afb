// What the qemu builder leaves behind when it is interrupted or killed: no
// process, no temporary file, no output directory, no open port.

import { assert, assertEquals } from "@std/assert";
import {
  forEachHost,
  type Running,
  type Workspace,
} from "../support/harness.ts";
import { childrenOf } from "../support/processes.ts";
import {
  kernelMachine,
  MACHINE_TEST,
  writeQemuTemplate,
} from "./qemu_workspace.ts";

/** The moments of a build, by what it shows when it is there. */
const MOMENTS = {
  "while it downloads": /Retrieving ISO/,
  "while the boot command is typed": /Typing the boot command/,
  "while it waits for ssh": /Waiting for SSH/,
  "while a provisioner runs": /the provisioner runs/,
  "while the machine shuts down": /the machine shuts down/,
} as const;

type Moment = keyof typeof MOMENTS;

/** A server of a disk image that never ends, and the URL of the image. */
function slowServer(): { url: string } & AsyncDisposable {
  const stop = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen() {} },
    () => new Response(new ReadableStream({ start() {} })),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/disk.img`,
    async [Symbol.asyncDispose]() {
      // Waits for no connection: the one of the build never ends by itself.
      stop.abort();
      await server.finished;
    },
  };
}

/** Writes the template of a build that stays at a moment. */
async function writeStaying(
  workspace: Workspace,
  moment: Moment,
  url: string,
): Promise<void> {
  const machine = {
    ...await kernelMachine(),
    boot_wait: "0s",
    http_content: { "/a": "b" },
    cd_content: { "meta-data": "x" },
  };
  const special: Partial<Record<Moment, Record<string, unknown>>> = {
    "while it downloads": { disk_image: true, iso_url: url },
    "while the boot command is typed": { boot_command: ["<wait10m>"] },
    "while it waits for ssh": { kernel_args: "console=ttyS0 rdinit=/none" },
    "while the machine shuts down": {
      shutdown_command: "echo the machine shuts down",
    },
  };
  await writeQemuTemplate(workspace, {
    ...machine,
    iso_checksum: "none",
    ...special[moment],
  }, {
    provisioners: [{
      type: "shell",
      inline: [
        moment === "while a provisioner runs"
          ? "echo the provisioner runs; sleep 600"
          : "true",
      ],
    }],
  });
}

/** The port that the build forwards to the machine, once it is shown. */
function forwardedPort(output: string): number | undefined {
  const [, port] = /Found port for communicator.*: (\d+)\./.exec(output) ?? [];
  return port === undefined ? undefined : Number(port);
}

async function assertFreed(
  workspace: Workspace,
  output: string,
): Promise<void> {
  await workspace.assertNothingLeft();
  assertEquals((await workspace.names()).includes("output-qemu"), false);
  const port = forwardedPort(output);
  if (port === undefined) return;
  Deno.listen({ hostname: "127.0.0.1", port }).close();
}

/** Starts a build that stays at a moment, and waits until it is there. */
async function startStaying(
  workspace: Workspace,
  moment: Moment,
  url: string,
): Promise<Running> {
  await writeStaying(workspace, moment, url);
  const run = workspace.start(["build", "template.json"]);
  await run.shows(MOMENTS[moment]);
  return run;
}

/** The process of the qemu plugin, which the host has started. */
async function pluginOf(host: number): Promise<number> {
  const plugin = (await childrenOf(host)).find(({ command }) =>
    /builders\/qemu\/main\.ts|builder-qemu/.test(command)
  );
  assert(plugin, "the plugin runs");
  return plugin.pid;
}

for (const moment of Object.keys(MOMENTS) as Moment[]) {
  forEachHost(
    `qemu leaves nothing after Ctrl-C ${moment}`,
    async (workspace) => {
      await using server = slowServer();
      const run = await startStaying(workspace, moment, server.url);
      run.kill("SIGINT");
      const { code, output } = await run.ended();
      assertEquals(code, 130, output);
      await assertFreed(workspace, output);
    },
    { ...MACHINE_TEST, only: "compiled" },
  );

  for (const victim of ["host", "plugin"] as const) {
    forEachHost(
      `qemu leaves nothing when the ${victim} is killed ${moment}`,
      async (workspace) => {
        await using server = slowServer();
        const run = await startStaying(workspace, moment, server.url);
        const pid = victim === "host" ? run.pid : await pluginOf(run.pid);
        Deno.kill(pid, "SIGKILL");
        const { code, output } = await run.ended();
        assert(code !== 0, output);
        await assertFreed(workspace, output);
      },
      { ...MACHINE_TEST, only: victim === "host" ? "compiled" : "source" },
    );
  }
}

forEachHost(
  "qemu keeps the output directory with -on-error=abort",
  async (workspace) => {
    await writeQemuTemplate(workspace, await kernelMachine(), {
      provisioners: [{ type: "shell", inline: ["false"] }],
    });
    const { code, output } = await workspace.baler([
      ...["build", "-on-error=abort", "template.json"],
    ]);
    assertEquals(code, 1, output);
    assertEquals(await workspace.names("output-qemu"), ["packer-qemu"]);
  },
  { ...MACHINE_TEST, only: "source" },
);
