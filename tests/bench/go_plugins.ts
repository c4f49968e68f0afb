// Packer's Go plugins under baler, compared with the same under Packer: whole builds, lines, and uploads.

import { join } from "@std/path";
import { compile } from "../../tools/compile.ts";
import { debianPacker, installPlugin, peer } from "../peers/peers.ts";
import { inTurns } from "./builds.ts";
import { costOf } from "./processes.ts";
import { atLeast, atMost, type Row } from "./row.ts";
import type { Sizes } from "./sizes.ts";

/** What one upload has. */
const UPLOAD_BYTES = 64 * 2 ** 20;

/** How many lines a plugin shows where lines are what is measured. */
const LINES = 10_000;

interface Run {
  readonly wall: number;
  readonly text: string;
}

/**
 * Measures Go plugins under baler and under Packer.
 *
 * @param baler The path of the compiled baler, beside which the compiled adapter is.
 * @param missing Gets the reason where a peer is missing; its rows are left out then.
 */
export async function goPluginRows(
  baler: string,
  sizes: Sizes,
  directory: string,
  missing: (reason: string) => void,
): Promise<Row[]> {
  await compile(["packer"], { say: () => {} });
  const [packer, twin, debian] = await Promise.all([
    peer("packer-1.16"),
    peer("plugin-twin"),
    debianPacker(),
  ]);
  for (const { missing: reason } of [packer, twin, debian]) {
    if (reason !== undefined) missing(reason);
  }
  const plugins = join(directory, "go-plugins");
  if (twin.path !== undefined) {
    await installPlugin("plugin-twin", twin.path, plugins);
  }
  const env = {
    PACKER_PLUGIN_PATH: plugins,
    CHECKPOINT_DISABLE: "1",
    PACKER_LOG: "",
  };
  const run = async (program: string, template: unknown): Promise<Run> => {
    const path = join(directory, "go-plugins.json");
    const output = join(directory, "go-plugins.out");
    await Deno.writeTextFile(path, JSON.stringify(template));
    const argv = [program, "build", path];
    const { wall } = await costOf({ argv, cwd: directory, env, output });
    return { wall, text: await Deno.readTextFile(output) };
  };
  const measure = async (
    rounds: number,
    packer: string,
    ours: unknown,
    theirs: unknown,
    of: (run: Run) => number,
  ) => {
    const measured = await inTurns(
      rounds,
      async () => of(await run(baler, ours)),
      async () => of(await run(packer, theirs)),
    );
    return { baler: measured.ours, others: measured.theirs };
  };
  const rows: Row[] = [];
  if (debian.path !== undefined) {
    const argv = (kind: string, name: string) => [
      debian.path!,
      "plugin",
      `packer-${kind}-${name}`,
    ];
    const template = (go: string) => ({
      builders: [{ type: `${go}file`, target: "go.txt", content: "x" }],
      provisioners: [{ type: `${go}shell-local`, inline: ["true"] }],
      "post-processors": [{ type: `${go}checksum`, checksum_types: ["md5"] }],
    });
    rows.push({
      work: "build: file, shell-local, checksum, all three Packer's own",
      measure: "wall, ms",
      peer: "packer",
      target: atMost(1),
      ...await measure(
        sizes.builds,
        debian.path,
        {
          plugins: {
            builders: { "go-file": argv("builder", "file") },
            provisioners: {
              "go-shell-local": argv("provisioner", "shell-local"),
            },
            "post-processors": {
              "go-checksum": argv("post-processor", "checksum"),
            },
          },
          ...template("go-"),
        },
        template(""),
        ({ wall }) => wall,
      ),
    });
  }
  if (packer.path === undefined || twin.path === undefined) return rows;
  const machine = (lines: number) => ({
    builders: [{ type: "twin-machine", lines }],
  });
  const same = (
    rounds: number,
    template: unknown,
    of: (run: Run) => number,
  ) => measure(rounds, packer.path, template, template, of);
  await Deno.writeFile(join(directory, "upload"), new Uint8Array(UPLOAD_BYTES));
  const upload = {
    builders: [{ type: "twin-machine" }],
    provisioners: [{
      type: "file",
      source: "upload",
      destination: "/upload",
    }],
  };
  rows.push({
    work: "a build with an installed plugin in Go",
    measure: "wall, ms",
    peer: "packer 1.16",
    target: atMost(1),
    ...await same(sizes.builds, machine(20), ({ wall }) => wall),
  }, {
    work: "a call of a plugin in Go to its host",
    measure: "µs a call",
    peer: "packer 1.16",
    target: atMost(2),
    ...await same(
      sizes.calls,
      machine(LINES),
      (run) => timeOf("said", run) * 1000 / LINES,
    ),
  }, {
    work: "64 MiB from the provisioner file to a machine in Go",
    measure: "MiB/s",
    peer: "packer 1.16",
    target: atLeast(0.8),
    ...await same(
      sizes.calls,
      upload,
      (run) => UPLOAD_BYTES / 2 ** 20 / (timeOf("received", run) / 1000),
    ),
  });
  return rows;
}

/** Returns the duration that the plugin reports, in milliseconds. */
function timeOf(word: string, { text }: Run): number {
  const found = new RegExp(`${word}.* in ([\\d.]+) ms`).exec(text);
  if (found === null) throw new Error(`"${word}" was not shown: ${text}`);
  return Number(found[1]);
}
