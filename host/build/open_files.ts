// Computes how many builds can have processes at a time under the limit on open
// files (`ulimit -n`).

import type { BuildPlan } from "../plan/build_plan.ts";
import { libc } from "../process/libc.ts";

/** `_SC_OPEN_MAX` (sysconf(3)) of Linux: the limit on open files. */
const SC_OPEN_MAX = 4;

/** How many descriptors one process needs: its pipes, their duplicates, and one to wait for it. */
const DESCRIPTORS_PER_PROCESS = 6;

/** How many descriptors are reserved for everything else. */
const RESERVED_DESCRIPTORS = 64;

/** Up to this number of builds, any limit is enough. */
const FEW_BUILDS = 20;

/**
 * Returns how many of the builds can have processes at the same time.
 *
 * @param builds The builds.
 */
export function maxConcurrentBuilds(builds: readonly BuildPlan[]): number {
  if (builds.length <= FEW_BUILDS) return builds.length;
  const limit = Number(libc()?.sysconf(SC_OPEN_MAX) ?? -1);
  if (limit <= 0) return builds.length;
  const processes = builds.reduce(
    (most, build) => Math.max(most, processesOf(build)),
    1,
  );
  const capacity = Math.floor(
    (limit - RESERVED_DESCRIPTORS) / (processes * DESCRIPTORS_PER_PROCESS),
  );
  return Math.min(builds.length, Math.max(1, capacity));
}

/** Returns how many processes a build has at most: the bundled components share one. */
function processesOf(build: BuildPlan): number {
  const components = [
    build.builder,
    ...build.provisioners,
    ...(build.errorCleanupProvisioner ? [build.errorCleanupProvisioner] : []),
    ...build.postProcessors.flat(),
  ];
  const others = components.filter(({ plugin }) =>
    plugin.process === undefined
  );
  return others.length + (others.length < components.length ? 1 : 0);
}
