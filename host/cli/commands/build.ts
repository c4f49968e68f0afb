// `baler build`: makes the artifacts of a template.

import type { OnError } from "../../../plugin/contract/build_context.ts";
import { runBuilds } from "../../build/run_builds.ts";
import { defineCommand, singleArgument } from "../command.ts";
import { type FlagValues, UsageError } from "../flags.ts";
import { Interrupt } from "../interrupt.ts";
import { prepareBuilds } from "../../build/prepare_builds.ts";
import { showSummary } from "../../build/summary.ts";
import { planOf, TEMPLATE_FLAGS } from "./template_flags.ts";

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
      "No colours. They are there on a terminal, unless NO_COLOR is set.",
  },
  debug: {
    type: "boolean",
    description: "One build at a time, with a pause before each step.",
  },
  force: {
    type: "boolean",
    description: "Replace artifacts that are in the way.",
  },
  "on-error": {
    type: "string",
    value: `=[${ON_ERROR.join("|")}]`,
    description: "What to do when a build fails (default: cleanup).",
    completes: ON_ERROR,
  },
  "parallel-builds": {
    type: "string",
    value: "=N",
    description: "How many builds run at a time; 0 for all (default: 0).",
  },
  "timestamp-ui": {
    type: "boolean",
    description: "The time in front of what builds show.",
  },
  ...TEMPLATE_FLAGS,
} as const;

/** Makes the artifacts of a template. */
export const build = defineCommand({
  usage: "[options] TEMPLATE",
  description:
    "Runs the builds of a template side by side, and shows the artifacts that they\n" +
    "make. TEMPLATE is a file, or - for the standard input. What went wrong in one\n" +
    "build does not stop the others.",
  flags: FLAGS,
  words: "template",
  notes: `Examples:

  baler build template.json
  baler build -only='web-*' -var region=north-1 template.json
  baler build -on-error=ask -timestamp-ui template.json

Exit code:

  0 when all builds succeeded, 1 when one failed or the template is not valid,
  2 when the command line was not understood, 130 after Ctrl-C and 143 after
  SIGTERM, once everything is cleaned up.`,
  async run(context, flags, words) {
    const template = singleArgument(words, "a template");
    const parallel = parallelOf(flags);
    const onError = onErrorOf(flags);
    const ui = context.makeUi({
      color: flags.color && context.screen.wantsColor,
      timestamps: flags["timestamp-ui"],
    });
    using interrupt = new Interrupt(
      (signal) =>
        ui.error(
          `\nCancelling the builds after ${signal}; again to end them at once...`,
        ),
      () => context.screen.mute(),
    );
    context.screen.cancelled = interrupt.signal;
    context.screen.onClosed = (reason) => {
      interrupt.cancel(reason, 1);
      writeStderr(`Cancelling the builds: ${reason.message}`);
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
    const { builds, failed } = await prepareBuilds(plan, ui, {
      log: context.log,
      signal: interrupt.signal,
    });
    if (ui.hasColor && !ui.isMachineReadable) {
      for (const one of builds) {
        one.ui.announceColor();
      }
      if (builds.length > 0) ui.say("");
    }
    const begin = performance.now();
    const results = await runBuilds(
      builds,
      flags.debug ? 1 : parallel,
      interrupt.signal,
    );
    const isCancelled = interrupt.exitCode !== undefined;
    showSummary(ui, results, performance.now() - begin, isCancelled);
    if (interrupt.exitCode !== undefined) return interrupt.exitCode;
    return failed > 0 || results.some(({ error }) => error !== undefined)
      ? 1
      : 0;
  },
});

/** Says what can no longer be said on stdout. */
function writeStderr(text: string): void {
  try {
    console.error(text);
  } catch {
    // Nobody reads that, either.
  }
}

function parallelOf(flags: FlagValues<typeof FLAGS>): number {
  const text = flags["parallel-builds"] ?? "0";
  if (!/^[+-]?\d+$/.test(text)) {
    throw new UsageError(
      `-parallel-builds takes a whole number, not ${JSON.stringify(text)}`,
    );
  }
  // As in Packer, none and fewer than none are no limit.
  return Math.max(0, Number(text));
}

function onErrorOf(flags: FlagValues<typeof FLAGS>): OnError {
  const text = flags["on-error"] ?? "cleanup";
  if (!ON_ERROR.includes(text)) {
    throw new UsageError(
      `-on-error takes one of ${ON_ERROR.join(", ")}, not ${
        JSON.stringify(text)
      }`,
    );
  }
  return text as OnError;
}
