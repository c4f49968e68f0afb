// A build of a container with podman, compared with Packer's on the same image.

import { join } from "@std/path";
import { compile } from "../../tools/compile.ts";
import { debianPacker } from "../peers/peers.ts";
import { writeFile } from "../support/executable_file.ts";
import { missingPodman, podmanAsDocker } from "../support/podman.ts";
import { inTurns } from "./builds.ts";
import { costOf } from "./processes.ts";
import { atMost, type Row } from "./row.ts";
import type { Sizes } from "./sizes.ts";

const SCRIPTS = 3;

/**
 * Measures the docker builder.
 *
 * @param baler The path of the compiled baler, beside which the compiled builder is.
 * @param missing Gets the reason where a peer is missing; there are no rows then.
 */
export async function containerRows(
  baler: string,
  sizes: Sizes,
  directory: string,
  missing: (reason: string) => void,
): Promise<Row[]> {
  const packer = await debianPacker();
  const reason = missingPodman ?? packer.missing;
  if (packer.path === undefined || reason !== undefined) {
    missing(reason!);
    return [];
  }
  await compile(["builder-docker"], { say: () => {} });
  // podman takes no --runroot of more than 50 characters.
  const at = (...names: string[]) => join(directory, "c", ...names);
  await Deno.mkdir(at(), { recursive: true });
  const PATH = await podmanAsDocker({
    at,
    env: Deno.env.toObject(),
    async write(name, content, options) {
      const path = at(name);
      await Deno.mkdir(join(path, ".."), { recursive: true });
      const bytes = new TextEncoder().encode(String(content));
      await writeFile(path, bytes, options?.mode ?? 0o644);
      return path;
    },
  });
  const template = at("template.json");
  await Deno.writeTextFile(
    template,
    JSON.stringify({
      builders: [{
        type: "docker",
        image: "localhost/base",
        pull: false,
        discard: true,
      }],
      provisioners: Array.from({ length: SCRIPTS }, (_, index) => ({
        type: "shell",
        inline: [`echo ${index}`],
      })),
    }),
  );
  const build = async (program: string) => {
    const { wall } = await costOf({
      argv: [program, "build", template],
      cwd: at(),
      env: { PATH, CHECKPOINT_DISABLE: "1" },
      output: at("output"),
    });
    return wall;
  };
  const { ours, theirs } = await inTurns(
    Math.ceil(sizes.builds / 2),
    () => build(baler),
    () => build(packer.path),
  );
  return [{
    work: `build: a container with podman, ${SCRIPTS} inline shell scripts`,
    measure: "wall, ms",
    peer: "packer",
    target: atMost(1),
    baler: ours,
    others: theirs,
  }];
}
