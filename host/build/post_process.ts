// Post-processing: what the post-processors of a build make of its artifact,
// and what of it stays.

import type { Artifact } from "../../plugin/contract/artifact.ts";
import type { PostProcessor } from "../../plugin/contract/post_processor.ts";
import { AggregateBuildError, errorMessage } from "../errors/error_message.ts";
import type { PostProcessorPlan } from "../plan/build_plan.ts";
import { expectPostProcessResult } from "./component_results.ts";
import type { BuildUi } from "../terminal/ui.ts";

/** What is left of an artifact when its build is over and its plugin gone. */
export interface ArtifactSummary {
  builderId: string;
  id: string;
  files: string[];
  text: string;
}

/** A post-processor that is ready to run. */
export interface PostProcessStep extends PostProcessorPlan {
  component: PostProcessor;
}

/** What every post-processor is given. */
interface Given {
  readonly ui: BuildUi;
  /** What the builder and the provisioners have made known. */
  readonly data: Record<string, unknown>;
  readonly signal: AbortSignal;
}

/**
 * Lets sequences of post-processors work on an artifact. What goes wrong in one
 * sequence does not keep the others from their work.
 *
 * @param sequences The sequences.
 * @param original The artifact that each of them begins with.
 * @param options What every post-processor is given.
 * @returns The artifacts that are left; the others have been destroyed.
 * @throws {AggregateBuildError} With all that went wrong.
 * @throws {unknown} The signal's reason, when it is aborted.
 */
export async function postProcess(
  sequences: readonly (readonly PostProcessStep[])[],
  original: Artifact,
  options: Given,
): Promise<ArtifactSummary[]> {
  const { ui, signal } = options;
  const errors: unknown[] = [];
  const artifacts: Artifact[] = [];
  let keepOriginal = sequences.length === 0;
  let discardOriginal = false;

  for (const sequence of sequences) {
    let prior = original;
    let ended = false;
    for (const [index, step] of sequence.entries()) {
      if (signal.aborted) throw signal.reason;
      const { name, type } = step;
      ui.say(
        `Running post-processor: ${name}${
          name === type ? "" : ` (type ${type})`
        }`,
      );
      try {
        const { artifact, keep } = await postProcessOne(step, prior, options);
        if (artifact === undefined) {
          // Nothing was made for the next one to work on.
          if (index === 0) keepOriginal ||= keep;
          else artifacts.push(prior);
          ended = true;
          break;
        }
        if (index === 0) keepOriginal ||= keep;
        else if (keep) artifacts.push(prior);
        // It was passed on as it is, and the next sequence begins with it.
        else if (prior === original) discardOriginal = true;
        else await prior.destroy();
        prior = artifact;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        errors.push(
          new Error(`Post-processor failed: ${errorMessage(error)}`, {
            cause: error,
          }),
        );
        ended = true;
        break;
      }
    }
    if (!ended) artifacts.push(prior);
  }

  if (keepOriginal) artifacts.unshift(original);
  const summaries = artifacts.map(summaryOf);
  if (!keepOriginal || discardOriginal) {
    try {
      await original.destroy();
    } catch (error) {
      errors.push(
        new Error(
          `Error destroying builder artifact: ${errorMessage(error)}`,
          { cause: error },
        ),
      );
    }
  }
  if (errors.length > 0) throw new AggregateBuildError(errors);
  return summaries;
}

async function postProcessOne(
  step: PostProcessStep,
  artifact: Artifact,
  { ui, data, signal }: Given,
): Promise<{ artifact: Artifact | undefined; keep: boolean }> {
  const result = expectPostProcessResult(
    await step.component.postProcess({
      ui: ui.forStep(step.type),
      artifact,
      data,
      signal,
    }),
  );
  const keep = result.keep ?? false;
  if (step.keepInputArtifact === undefined) {
    return { artifact: result.artifact, keep };
  }
  const forced = keep && result.mustKeep === true;
  return {
    artifact: result.artifact,
    keep: step.keepInputArtifact || forced,
  };
}

function summaryOf(artifact: Artifact): ArtifactSummary {
  return {
    builderId: String(artifact.builderId),
    id: String(artifact.id),
    files: [...(artifact.files ?? [])].map(String),
    text: String(artifact),
  };
}
