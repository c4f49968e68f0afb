// Post-processing: runs the sequences of post-processors of a build on its
// artifact, and decides which artifacts are kept.

import type { Artifact } from "../../plugin/contract/artifact.ts";
import type { PostProcessor } from "../../plugin/contract/post_processor.ts";
import { AggregateBuildError, errorMessage } from "../errors/error_message.ts";
import type { PostProcessorPlan } from "../plan/build_plan.ts";
import {
  expectPostProcessResult,
  textOfArtifact,
} from "./component_results.ts";
import type { BuildUi } from "../terminal/ui.ts";

/** The data of an artifact that are kept after the plugin has exited. */
export interface ArtifactSummary {
  /** The builder that created it. */
  builderId: string;
  /** Its id; empty when its files identify it. */
  id: string;
  /** Its files. */
  files: string[];
  /** Its description. */
  text: string;
}

/** A post-processor that is ready to run. */
export interface PostProcessStep extends PostProcessorPlan {
  component: PostProcessor;
}

/** The context of every post-processor. */
interface PostProcessContext {
  readonly ui: BuildUi;
  /** The data that the builder and the provisioners have published. */
  readonly data: Record<string, unknown>;
  /** Cancels the build. */
  readonly signal: AbortSignal;
}

/**
 * Runs sequences of post-processors on an artifact. A failure in one sequence
 * does not stop the others.
 *
 * @param sequences The sequences.
 * @param original The artifact from which each sequence starts.
 * @param context The context of every post-processor.
 * @returns The artifacts that are kept; the others have been destroyed.
 * @throws {AggregateBuildError} With all errors.
 * @throws {unknown} The signal's reason, when it is aborted.
 */
export async function postProcess(
  sequences: readonly (readonly PostProcessStep[])[],
  original: Artifact,
  context: PostProcessContext,
): Promise<ArtifactSummary[]> {
  const outcome = new Outcome(original, sequences.length === 0);
  for (const sequence of sequences) {
    await runSequence(sequence, outcome, context);
  }
  return await outcome.finish();
}

/** The artifacts to keep, and the errors. */
class Outcome {
  readonly original: Artifact;
  readonly artifacts: Artifact[] = [];
  readonly errors: unknown[] = [];
  keepOriginal: boolean;
  /** Whether a post-processor passed the original on unchanged, and the next one replaced it. */
  discardOriginal = false;

  constructor(original: Artifact, keepOriginal: boolean) {
    this.original = original;
    this.keepOriginal = keepOriginal;
  }

  async finish(): Promise<ArtifactSummary[]> {
    const { original, artifacts, errors } = this;
    if (this.keepOriginal) artifacts.unshift(original);
    const summaries = artifacts.map(summaryOf);
    if (!this.keepOriginal || this.discardOriginal) {
      try {
        await original.destroy();
      } catch (error) {
        const text = `Error destroying builder artifact: ${
          errorMessage(error)
        }`;
        errors.push(new Error(text, { cause: error }));
      }
    }
    if (errors.length > 0) throw new AggregateBuildError(errors);
    return summaries;
  }
}

async function runSequence(
  sequence: readonly PostProcessStep[],
  outcome: Outcome,
  context: PostProcessContext,
): Promise<void> {
  const { ui, signal } = context;
  const { original } = outcome;
  let input = original;
  for (const [index, step] of sequence.entries()) {
    if (signal.aborted) throw signal.reason;
    const { name, type } = step;
    const suffix = name === type ? "" : ` (type ${type})`;
    ui.say(`Running post-processor: ${name}${suffix}`);
    try {
      const { artifact, keep } = await runStep(step, input, context);
      if (artifact === undefined) {
        // The next post-processor would have no input.
        if (index === 0) outcome.keepOriginal ||= keep;
        else outcome.artifacts.push(input);
        return;
      }
      if (index === 0) outcome.keepOriginal ||= keep;
      else if (keep) outcome.artifacts.push(input);
      // The original was passed on unchanged; the next sequence still needs it.
      else if (input === original) outcome.discardOriginal = true;
      else await input.destroy();
      input = artifact;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const text = `Post-processor failed: ${errorMessage(error)}`;
      outcome.errors.push(new Error(text, { cause: error }));
      return;
    }
  }
  outcome.artifacts.push(input);
}

async function runStep(
  step: PostProcessStep,
  artifact: Artifact,
  { ui, data, signal }: PostProcessContext,
): Promise<{ artifact: Artifact | undefined; keep: boolean }> {
  const result = expectPostProcessResult(
    await step.component.postProcess({
      ui: ui.forStep(step.type).forPlugins,
      artifact,
      data: { ...data, ...await publishedBy(artifact) },
      signal,
    }),
  );
  const keep = result.keep === true;
  if (step.keepInputArtifact === undefined) {
    return { artifact: result.artifact, keep };
  }
  const isForced = keep && result.mustKeep === true;
  return {
    artifact: result.artifact,
    keep: step.keepInputArtifact || isForced,
  };
}

/** What the artifact says was published, such as the id of an image that was made after the provisioners ran. */
async function publishedBy(
  artifact: Artifact,
): Promise<Record<string, unknown>> {
  let data: unknown;
  try {
    data = await artifact.state?.("generated_data");
  } catch {
    // The post-processor reports what is wrong with the artifact.
  }
  if (data instanceof Map) return Object.fromEntries(data);
  return typeof data === "object" && data !== null && !Array.isArray(data)
    ? data as Record<string, unknown>
    : {};
}

function summaryOf(artifact: Artifact): ArtifactSummary {
  return {
    builderId: artifact.builderId ?? "",
    id: artifact.id ?? "",
    files: [...(artifact.files ?? [])],
    text: textOfArtifact(artifact),
  };
}
