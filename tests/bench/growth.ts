// How cost grows: with the number of plugins, with the size of an argument, and
// with that of a template.

import { join } from "@std/path";
import { bigTemplate, type Shape } from "./big_template.ts";
import { Driver } from "./driver.ts";
import { costOf, memoryOf } from "./processes.ts";
import type { Programs } from "./programs.ts";
import { median } from "./row.ts";
import type { Sizes } from "./sizes.ts";

/** What a number of plugins costs. */
export interface PluginCost {
  readonly plugins: number;
  /** Until each of them has answered, in milliseconds. */
  readonly start: number;
  /** To all of them by turns, 1,000 in flight, in calls a second. */
  readonly calls: number;
  /** The memory of the host and all plugins (PSS), in MiB; absent when it is not known. */
  readonly memory?: number;
}

/** What an argument of a size costs, there and back, in milliseconds. */
export interface SizeCost {
  /** In bytes. */
  readonly size: number;
  readonly bytes: number;
  /** Absent where a line would be longer than the protocol allows. */
  readonly text?: number;
}

/** What `validate` of a template costs, in milliseconds of processor time. */
export interface TemplateCost {
  readonly builders: number;
  readonly provisioners: number;
  /** Where each build has every provisioner. */
  readonly all: number;
  /** Where each build has its own five. */
  readonly own: number;
}

/** How cost grows. */
export interface Growth {
  readonly plugins: PluginCost[];
  readonly sizes: SizeCost[];
  readonly templates: TemplateCost[];
}

const PLUGINS = [1, 10, 100];
const BUILDERS = [10, 100, 1000];
const SIZES = [100, 1e3, 1e4, 1e5, 2 ** 20, 8 * 2 ** 20, 64 * 2 ** 20];

/** A line has 64 MiB at the most, and more in it than the argument. */
const MOST_TEXT = 32 * 2 ** 20;

/** Measures it. */
export async function growth(
  { host, baler }: Programs,
  { concurrent, repeats }: Sizes,
  directory: string,
): Promise<Growth> {
  return {
    sizes: await sizeCosts(host, repeats),
    plugins: await pluginCosts(host, concurrent),
    templates: await templateCosts(baler, repeats, directory),
  };
}

async function templateCosts(
  baler: string,
  repeats: number,
  directory: string,
): Promise<TemplateCost[]> {
  const costs: TemplateCost[] = [];
  for (const builders of BUILDERS) {
    const often = async (shape: Shape) => {
      const template = bigTemplate(builders, shape);
      await Deno.writeTextFile(
        join(directory, "big.json"),
        JSON.stringify(template, null, 2),
      );
      const times: number[] = [];
      for (let round = 0; round < repeats; round++) {
        const { cpu } = await costOf({
          argv: [baler, "validate", "big.json"],
          cwd: directory,
        });
        times.push(cpu);
      }
      return median(times);
    };
    costs.push({
      builders,
      provisioners: 5 * builders,
      all: await often("all"),
      own: await often("own"),
    });
  }
  return costs;
}

async function sizeCosts(
  baler: readonly string[],
  repeats: number,
): Promise<SizeCost[]> {
  await using driver = new Driver(baler);
  const sizes: SizeCost[] = [];
  for (const size of SIZES) {
    const often = async (work: string) => {
      const times: number[] = [];
      // What has not run before is slow once.
      await driver.time(work, size);
      for (let round = 0; round < repeats; round++) {
        times.push(await driver.time(work, size));
      }
      return median(times);
    };
    sizes.push({
      size,
      bytes: await often("echoBytes"),
      ...size <= MOST_TEXT && { text: await often("echoText") },
    });
  }
  return sizes;
}

async function pluginCosts(
  baler: readonly string[],
  concurrent: number,
): Promise<PluginCost[]> {
  await using driver = new Driver(baler);
  const plugins: PluginCost[] = [];
  for (const count of PLUGINS) {
    const start = await driver.time("plugins", count);
    await driver.time("callsToAll", concurrent);
    const took = await driver.time("callsToAll", concurrent);
    plugins.push({
      plugins: count,
      start,
      calls: concurrent / (took / 1000),
      ...Deno.build.os === "linux" && { memory: await memoryOf(driver.pid) },
    });
  }
  await driver.time("plugins", 0);
  return plugins;
}

/** It as tables in Markdown. */
export function growthTables({ plugins, sizes, templates }: Growth): string {
  const number = (value: number | undefined, digits = 0) =>
    value === undefined
      ? "–"
      : value.toLocaleString("en-US", { maximumFractionDigits: digits });
  return [
    "| plugins | all have answered after, ms | calls/s | PSS of all, MiB |",
    "| ---: | ---: | ---: | ---: |",
    ...plugins.map(({ plugins, start, calls, memory }) =>
      `| ${plugins} | ${number(start)} | ${number(calls)} | ${number(memory)} |`
    ),
    "",
    "| argument, bytes | as Uint8Array, ms | as text, ms |",
    "| ---: | ---: | ---: |",
    ...sizes.map(({ size, bytes, text }) =>
      `| ${number(size)} | ${number(bytes, 2)} | ${number(text, 2)} |`
    ),
    "",
    "| builders | provisioners | validate, each build has all, ms CPU | each its own five, ms CPU |",
    "| ---: | ---: | ---: | ---: |",
    ...templates.map(({ builders, provisioners, all, own }) =>
      `| ${number(builders)} | ${number(provisioners)} | ${number(all)} | ${
        number(own)
      } |`
    ),
  ].join("\n");
}
