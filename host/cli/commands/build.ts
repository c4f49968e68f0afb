// `baler build`: builds the artifacts of a template.

import type { OnError } from "../../../plugin/contract/build_context.ts";
import { maxConcurrentBuilds } from "../../build/open_files.ts";
import { type BuildResult, runBuilds } from "../../build/run_builds.ts";
import { defineCommand, singleArgument } from "../command.ts";
import { type FlagValues, UsageError } from "../flags.ts";
import { Interrupt } from "../interrupt.ts";
import type { BuildPlan } from "../../plan/build_plan.ts";
import { becomeSubreaper } from "../../process/subreaper.ts";
import { unreadableVariables } from "../../process/unreadable_variables.ts";
import { prepareBuilds, warnUnmatched } from "../../build/prepare_builds.ts";
import type { HostUi } from "../../terminal/ui.ts";
import { showSummary } from "../../build/summary.ts";
import { planOf, TEMPLATE_FLAGS } from "./template_flags.ts";

/** When the watchdog starts if all components are bundled, in milliseconds: short builds need none. */
const BUNDLED_WATCHDOG_DELAY_MS = 2_000;

const ON_ERROR: readonly string[] = [
  "cleanup",
  "abort",
  "ask",
  "run-cleanup-provisioner",
] satisfies OnError[];

const FLAGS = {
  color: {
    type: "boolean",
    value: "=false",
    default: true,
    description:
      "Disable colored output. (Default: color on a terminal, unless NO_COLOR is set)",
  },
  debug: {
    type: "boolean",
    description:
      "Debug mode: run one build at a time and pause before each step.",
  },
  force: {
    type: "boolean",
    description: "Continue if artifacts exist, and replace them.",
  },
  "on-error": {
    type: "string",
    value: `=[${ON_ERROR.join("|")}]`,
    description:
      "If a build fails: clean up (default), abort, ask, or run the error-cleanup-provisioner.",
    completes: ON_ERROR,
  },
  "parallel-builds": {
    type: "string",
    value: "=N",
    description:
      "Number of builds to run in parallel; 0 means no limit. (Default: 0)",
  },
  "timestamp-ui": {
    type: "boolean",
    description: "Prefix build output with an RFC 3339 timestamp.",
  },
  ...TEMPLATE_FLAGS,
} as const;

/** Builds the artifacts of a template. */
export const build = defineCommand({
  usage: "[options] TEMPLATE",
  description:
    "Runs the builds of a template in parallel and prints the artifacts that they\n" +
    "create. TEMPLATE is a file, or - for stdin. A build that fails does not stop the\n" +
    "others.",
  flags: FLAGS,
  completes: "template",
  notes: `Examples:

  baler build template.json
  baler build -only='web-*' -var region=north-1 template.json
  baler build -on-error=ask -timestamp-ui template.json

Exit code:

  0 when all builds succeeded, 1 when one failed or the template is not valid,
  2 when the command line is not valid, 130 after Ctrl-C and 143 after SIGTERM,
  once everything is cleaned up.`,
  async run(context, flags, positionals) {
    const template = singleArgument(positionals, "build", "TEMPLATE");
    const parallel = parallelOf(flags);
    const onError = onErrorOf(flags);
    const ui = context.makeUi({
      color: flags.color && context.screen.wantsColor,
      timestamps: flags["timestamp-ui"],
    });
    let active: readonly string[] = [];
    using interrupt = new Interrupt(
      (signal) =>
        ui.error(
          `\nCancelling the builds after ${signal}; press Ctrl-C again to kill them...`,
        ),
      (signal) => {
        context.screen.mute();
        const names = active.join(", ");
        context.screen.writeError(
          `\nKilled by the second ${signal}.` +
            (names === ""
              ? ""
              : ` These builds may not have been cleaned up: ${names}.`),
        );
      },
    );
    context.screen.cancelled = interrupt.signal;
    context.screen.onClosed = (reason) => {
      interrupt.cancel(reason, 1);
      context.screen.writeError(`Cancelling the builds: ${reason.message}`);
    };

    const plan = await planOf(
      template,
      flags,
      { debug: flags.debug, force: flags.force, onError },
      context.redactor,
    );
    if (flags.debug) {
      ui.say("Debug mode enabled. Builds will not be parallelized.");
    }
    becomeSubreaper();
    void interrupt.startWatchdog(
      usesOnlyBundled(plan.builds) ? BUNDLED_WATCHDOG_DELAY_MS : 0,
    );
    warnUnmatched(plan, ui);
    warnUnreadable(ui);
    const lotSize = maxConcurrentBuilds(plan.builds);
    if (lotSize < plan.builds.length) {
      ui.say(
        `Running ${lotSize} build${
          lotSize === 1 ? "" : "s"
        } at a time: the limit on open files ("ulimit -n") is too low for ${plan.builds.length}.`,
      );
    }
    let durationMs = 0;
    const results: BuildResult[] = [];
    let failed = plan.refused.length;
    for (
      let first = 0;
      first === 0 || first < plan.builds.length && !interrupt.signal.aborted;
      first += Math.max(1, lotSize)
    ) {
      const lot = {
        ...plan,
        builds: plan.builds.slice(first, first + lotSize),
        refused: first === 0 ? plan.refused : [],
      };
      const prepared = await prepareBuilds(lot, ui, {
        log: context.log,
        signal: interrupt.signal,
      }, first);
      failed += prepared.failed;
      if (ui.hasColor && !ui.isMachineReadable) {
        for (const one of prepared.builds) one.ui.announceColor();
        if (prepared.builds.length > 0) ui.say("");
      }
      const begin = performance.now();
      results.push(
        ...await runBuilds(prepared.builds, {
          parallel: flags.debug ? 1 : parallel,
          signal: interrupt.signal,
          onActive(names) {
            active = names;
            interrupt.setActive(names);
          },
        }),
      );
      durationMs += performance.now() - begin;
    }
    const isCancelled = interrupt.exitCode !== undefined;
    showSummary(ui, results, durationMs, isCancelled);
    if (interrupt.exitCode !== undefined) return interrupt.exitCode;
    return failed > 0 || results.some(({ error }) => error !== undefined)
      ? 1
      : 0;
  },
});

/** Whether all components are bundled: then no third-party code runs in a plugin. */
function usesOnlyBundled(builds: readonly BuildPlan[]): boolean {
  return builds.every(({ builder, provisioners, postProcessors }) =>
    [builder, ...provisioners, ...postProcessors.flat()].every(({ plugin }) =>
      plugin.process !== undefined
    )
  );
}

function parallelOf(flags: FlagValues<typeof FLAGS>): number {
  const text = flags["parallel-builds"] ?? "0";
  if (!/^[+-]?\d+$/.test(text)) {
    throw new UsageError(
      `-parallel-builds must be an integer, not ${JSON.stringify(text)}`,
    );
  }
  // As in Packer, zero and negative numbers mean no limit.
  return Math.max(0, Number(text));
}

function onErrorOf(flags: FlagValues<typeof FLAGS>): OnError {
  const text = flags["on-error"] ?? "cleanup";
  if (!ON_ERROR.includes(text)) {
    throw new UsageError(
      `-on-error must be one of ${ON_ERROR.join(", ")}, not ${
        JSON.stringify(text)
      }`,
    );
  }
  return text as OnError;
}

/** Warns of environment variables that plugins do not get. */
function warnUnreadable(ui: HostUi): void {
  for (const name of unreadableVariables()) {
    ui.say(
      `Warning: the environment variable ${name} is not UTF-8. Deno cannot read it, so that plugins do not get it.`,
    );
  }
}
