// A TypeScript plugin under the real Packer, compared with the same plugin in Go: whole
// builds, calls, and uploads in both directions.

import { createHash } from "node:crypto";
import { join } from "@std/path";
import { compile } from "../../tools/compile.ts";
import { installPlugin, peer } from "../peers/peers.ts";
import { inTurns } from "./builds.ts";
import { costOf } from "./processes.ts";
import { atLeast, atMost, type Row } from "./row.ts";
import type { Sizes } from "./sizes.ts";

/** What one upload has. */
const UPLOAD_BYTES = 64 * 2 ** 20;

const PERMISSIONS = [
  "--no-prompt",
  "--allow-net=127.0.0.1",
  "--allow-env=PACKER_PLUGIN_MAGIC_COOKIE,PACKER_PLUGIN_MIN_PORT,PACKER_PLUGIN_MAX_PORT,PACKER_RUN_UUID,BALER_PACKER_API",
];

/**
 * Measures plugins under Packer.
 *
 * @param out Where programs are compiled to.
 * @param missing Gets the reason where a peer is missing; there are no rows then.
 */
export async function packerRows(
  sizes: Sizes,
  directory: string,
  out: string,
  missing: (reason: string) => void,
): Promise<Row[]> {
  const [packer, twin] = await Promise.all([
    peer("packer-1.16"),
    peer("plugin-twin"),
  ]);
  for (const { missing: reason } of [packer, twin]) {
    if (reason !== undefined) missing(reason);
  }
  if (packer.path === undefined || twin.path === undefined) return [];
  const [own] = await compile([{
    name: "packer-plugin-twin",
    entry: join(import.meta.dirname!, "programs", "packer_plugin.ts"),
    flags: PERMISSIONS,
    out,
  }]);
  // Packer runs `describe` of every installed plugin, so each is installed alone.
  const directories = {
    twin: join(directory, "packer-plugins-go"),
    balertwin: join(directory, "packer-plugins"),
    both: join(directory, "packer-plugins-both"),
  };
  for (const name of ["twin", "both"] as const) {
    await installPlugin("plugin-twin", twin.path, directories[name]);
  }
  for (const name of ["balertwin", "both"] as const) {
    await installOwn(own!.path, directories[name]);
  }
  await Deno.writeFile(join(directory, "upload"), new Uint8Array(UPLOAD_BYTES));
  await Deno.writeTextFile(join(directory, "small"), "a line\n");

  const run = async (
    installed: keyof typeof directories,
    template: unknown,
  ) => {
    const path = join(directory, "packer.json");
    const output = join(directory, "packer.out");
    await Deno.writeTextFile(path, JSON.stringify(template));
    const { wall } = await costOf({
      argv: [packer.path, "build", path],
      cwd: directory,
      env: {
        PACKER_PLUGIN_PATH: directories[installed],
        CHECKPOINT_DISABLE: "1",
        PACKER_LOG: "",
      },
      output,
    });
    return { wall, text: await Deno.readTextFile(output) };
  };
  const measure = async (
    rounds: number,
    template: (plugin: string) => unknown,
    of: (run: { wall: number; text: string }) => number,
    installed?: "both",
  ) => {
    const { ours, theirs } = await inTurns(
      rounds,
      async () =>
        of(await run(installed ?? "balertwin", template("balertwin"))),
      async () => of(await run(installed ?? "twin", template("twin"))),
    );
    return { baler: ours, others: theirs };
  };
  const time = (word: string) => ({ text }: { text: string }) => {
    const found = new RegExp(`${word}.* in ([\\d.]+) ms`).exec(text);
    if (found === null) {
      throw new Error(`Packer did not show "${word}": ${text}`);
    }
    return Number(found[1]);
  };
  const speed = (word: string) => (shown: { text: string }) =>
    UPLOAD_BYTES / 2 ** 20 / (time(word)(shown) / 1000);
  const common = { peer: "the plugin in Go" };
  return [
    {
      ...common,
      work: "a build under Packer, with shell, file and manifest",
      measure: "ms",
      target: atMost(1.3),
      ...await measure(
        sizes.builds,
        (plugin) => ({
          builders: [{ type: `${plugin}-machine`, lines: 20 }],
          provisioners: [
            { type: "shell", inline: ["true"] },
            { type: "file", source: "small", destination: "/small" },
          ],
          "post-processors": ["manifest"],
        }),
        ({ wall }) => wall,
      ),
    },
    {
      ...common,
      work: "the same with nothing but the builder",
      measure: "ms",
      target: atMost(1.3),
      note: "Packer's start, and the plugin's",
      ...await measure(
        sizes.builds,
        (plugin) => ({ builders: [{ type: `${plugin}-machine`, lines: 20 }] }),
        ({ wall }) => wall,
      ),
    },
    {
      ...common,
      work: "a call of Packer's ui",
      measure: "µs a call",
      target: atMost(2),
      ...await measure(
        sizes.calls,
        (plugin) => ({
          builders: [{ type: `${plugin}-machine`, lines: sizes.rich }],
        }),
        (shown) => time("said")(shown) * 1000 / sizes.rich,
      ),
    },
    {
      ...common,
      work: "64 MiB from Packer's file provisioner to the plugin's machine",
      measure: "MiB/s",
      target: atLeast(0.8),
      ...await measure(
        sizes.calls,
        (plugin) => ({
          builders: [{ type: `${plugin}-machine` }],
          provisioners: [{
            type: "file",
            source: "upload",
            destination: "/upload",
          }],
        }),
        speed("received"),
      ),
    },
    {
      ...common,
      work: "64 MiB from the plugin's provisioner to a machine in Go",
      measure: "MiB/s",
      target: atLeast(0.8),
      ...await measure(
        sizes.calls,
        (plugin) => ({
          builders: [{ type: "twin-machine" }],
          provisioners: [{ type: `${plugin}-push`, bytes: UPLOAD_BYTES }],
        }),
        speed("pushed"),
        "both",
      ),
    },
  ];
}

/** Installs our plugin under another name, next to its twin. */
async function installOwn(path: string, plugins: string): Promise<void> {
  const arch = Deno.build.arch === "x86_64" ? "amd64" : "arm64";
  const directory = join(plugins, "github.com", "baler", "balertwin");
  await Deno.mkdir(directory, { recursive: true });
  const installed = join(
    directory,
    `packer-plugin-balertwin_v1.0.0_x5.0_${Deno.build.os}_${arch}`,
  );
  await Deno.copyFile(path, installed);
  const hash = createHash("sha256").update(await Deno.readFile(path));
  await Deno.writeTextFile(`${installed}_SHA256SUM`, hash.digest("hex"));
}
