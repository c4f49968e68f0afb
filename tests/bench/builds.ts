// The rows about `baler build` and `baler version`, from start to end, beside
// Packer with the same template.

import { join } from "@std/path";
import {
  type Cost,
  costOf,
  costOfPipeline,
  type Measured,
  ownCostOf,
  peakMemoryOf,
} from "./processes.ts";
import type { Programs } from "./programs.ts";
import { atLeast, atMost, type Row } from "./row.ts";
import type { Sizes } from "./sizes.ts";

const ONE = {
  builders: [{ type: "file", target: "out.txt", content: "hello world\n" }],
  "post-processors": [[
    {
      type: "checksum",
      checksum_types: ["sha256"],
      output: "sum.{{.ChecksumType}}",
    },
    { type: "manifest", output: "manifest.json" },
  ]],
};

const EIGHT = {
  builders: Array.from({ length: 8 }, (_, index) => ({
    type: "file",
    name: `file-${index}`,
    target: `out-${index}.txt`,
    content: "hello world\n",
  })),
  provisioners: [1, 2, 3].map((step) => ({
    type: "shell-local",
    inline: [`echo step ${step}`],
  })),
  "post-processors": [{
    type: "checksum",
    checksum_types: ["sha256"],
    output: "sum-{{.BuildName}}.{{.ChecksumType}}",
  }],
};

/** Measures all of them. */
export async function buildRows(
  programs: Programs,
  sizes: Sizes,
  directory: string,
): Promise<Row[]> {
  const { baler, peers } = programs;
  const rows: Row[] = [];
  const template = async (name: string, content: unknown) => {
    await Deno.writeTextFile(join(directory, name), JSON.stringify(content));
    return name;
  };
  const cwd = directory;
  const both = async (
    rounds: number,
    args: readonly string[],
  ): Promise<{ ours: Cost[]; theirs: Cost[] }> =>
    await inTurns(
      rounds,
      () => costOf({ argv: [baler, ...args], cwd }),
      peers.packer && (() => costOf({ argv: [peers.packer!, ...args], cwd })),
    );
  const walls = (costs: Cost[]) => costs.map(({ wall }) => wall);
  const cpus = (costs: Cost[]) => costs.map(({ cpu }) => cpu);

  const one = await template("one.json", ONE);
  const build = await both(sizes.builds, ["build", one]);
  const oneWork = "build: file, checksum, manifest";
  rows.push({
    work: oneWork,
    measure: "wall, ms",
    peer: "packer",
    target: atMost(0.7),
    baler: walls(build.ours),
    others: walls(build.theirs),
  }, {
    work: oneWork,
    measure: "CPU, ms",
    peer: "packer",
    target: atMost(1),
    baler: cpus(build.ours),
    others: cpus(build.theirs),
  });

  const eight = await template("eight.json", EIGHT);
  const eightWork = "8 builds: file, shell-local ×3, checksum";
  const builds = await both(sizes.manyBuilds, ["build", eight]);
  rows.push({
    work: eightWork,
    measure: "wall, ms",
    peer: "packer",
    target: atMost(0.7),
    baler: walls(builds.ours),
    others: walls(builds.theirs),
  });
  if (Deno.build.os === "linux") {
    const memory = (program: string) => () =>
      peakMemoryOf({ argv: [program, "build", eight], cwd });
    const peaks = await inTurns(
      sizes.manyBuilds,
      memory(baler),
      peers.packer && memory(peers.packer),
    );
    rows.push({
      work: eightWork,
      measure: "peak PSS of all, MiB",
      peer: "packer",
      target: atMost(1.5),
      baler: peaks.ours,
      others: peaks.theirs,
    });
  }

  const version = await both(sizes.versions, ["version"]);
  rows.push({
    work: "version",
    measure: "wall, ms",
    peer: "packer",
    target: atMost(0.6),
    baler: walls(version.ours),
    others: walls(version.theirs),
  });

  rows.push(await sayRow(programs, sizes, directory, template));
  rows.push(...await logRows(programs, sizes, directory, template));
  return rows;
}

type WriteTemplate = (name: string, content: unknown) => Promise<string>;

async function sayRow(
  { baler, plugin, peers }: Programs,
  { lines, says }: Sizes,
  directory: string,
  template: WriteTemplate,
): Promise<Row> {
  const output = join(directory, "said.txt");
  const ours = await template("say.json", {
    builders: [{ type: plugin, lines }],
  });
  const theirs = await template("say-packer.json", {
    builders: [{ type: "null", communicator: "none" }],
    provisioners: [{
      type: "shell-local",
      inline: [`seq -f 'line %.0f of many that are said' ${lines}`],
    }],
  });
  const rate = (measured: Measured) => async () => {
    const { wall } = await costOf({ ...measured, output });
    const said = (await Deno.readTextFile(output)).split("of many that are")
      .length - 1;
    if (said < lines) throw new Error(`${said} of ${lines} lines were shown`);
    return lines / (wall / 1000);
  };
  const rates = await inTurns(
    says,
    rate({ argv: [baler, "build", ours], cwd: directory }),
    peers.packer &&
      rate({ argv: [peers.packer, "build", theirs], cwd: directory }),
  );
  return {
    work: `${lines.toLocaleString("en-US")} lines of ui.say`,
    measure: "lines/s",
    peer: "packer's shell-local",
    target: atLeast(2),
    baler: rates.ours,
    others: rates.theirs,
  };
}

async function logRows(
  { baler, plugin }: Programs,
  { logBytes, logs }: Sizes,
  directory: string,
  template: WriteTemplate,
): Promise<Row[]> {
  const log = join(directory, "log.txt");
  const name = await template("log.json", {
    builders: [{ type: plugin, log_bytes: logBytes }],
  });
  const whole = async () => {
    const { size } = await Deno.stat(log);
    if (size < logBytes) throw new Error(`the log has only ${size} bytes`);
  };
  const { ours, theirs } = await inTurns(logs, async () => {
    const cost = await ownCostOf({
      argv: [baler, "build", name],
      cwd: directory,
      env: { BALER_LOG: "1", BALER_LOG_PATH: log },
    });
    await whole();
    return cost;
  }, async () => {
    const cost = await costOfPipeline(
      `yes ${
        "x".repeat(99)
      } | head -c ${logBytes} | { time sed 's|^|prefix |' > ${log}; }`,
      directory,
    );
    await whole();
    return cost;
  });
  await Deno.remove(log);
  const work = `log relay, ${logBytes / 2 ** 20} MiB of 100-byte lines`;
  const speeds = (costs: Cost[]) =>
    costs.map(({ wall }) => logBytes / 2 ** 20 / (wall / 1000));
  const rows: Row[] = [{
    work,
    measure: "MiB/s",
    peer: "sed",
    target: atLeast(0.5),
    baler: speeds(ours),
    others: speeds(theirs),
  }];
  if (Deno.build.os === "linux") {
    rows.push({
      work,
      measure: "CPU of the host, ms",
      peer: "sed",
      target: atMost(1.5),
      baler: ours.map(({ cpu }) => cpu),
      others: theirs.map(({ cpu }) => cpu),
    });
  }
  return rows;
}

/**
 * Measures two things in turns, so that what else the machine does falls on
 * both. The first round of each is not counted.
 */
export async function inTurns<T>(
  rounds: number,
  measureOurs: () => Promise<T>,
  measureTheirs: (() => Promise<T>) | undefined | "",
): Promise<{ ours: T[]; theirs: T[] }> {
  const ours: T[] = [];
  const theirs: T[] = [];
  for (let round = 0; round <= rounds; round++) {
    ours.push(await measureOurs());
    if (measureTheirs) theirs.push(await measureTheirs());
  }
  return { ours: ours.slice(1), theirs: theirs.slice(1) };
}
