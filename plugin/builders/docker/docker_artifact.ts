// The artifacts of the docker builder and its post-processors, with the ids that
// Packer's have: an image that the daemon has, and a tar file.

import type { Artifact } from "../../contract/artifact.ts";
import type { Docker } from "./docker_program.ts";

/** The kind of an exported container. */
export const EXPORT_BUILDER_ID = "packer.docker";
/** The kind of an image that was committed or imported. */
export const IMPORT_BUILDER_ID = "packer.post-processor.docker-import";
/** The kind of an image that was tagged. */
export const TAG_BUILDER_ID = "packer.post-processor.docker-tag";
/** The kind of files that artifice names. */
export const ARTIFICE_BUILDER_ID = "packer.post-processor.artifice";

/** The name of an artifact's state with what its builder published, as in Packer. */
const GENERATED_DATA = "generated_data";
/** The name of an image's state with its names, as in Packer. */
const TAGS = "docker_tags";

/**
 * Checks that an artifact is an image that has a name or an ID here.
 *
 * @param artifact The artifact that a post-processor was given.
 * @param requirement What the post-processor accepts, as the error tells it.
 * @throws {Error} When it is of another kind.
 */
export function requireImage(
  { builderId }: Pick<Artifact, "builderId">,
  requirement: string,
): void {
  if (builderId === TAG_BUILDER_ID || builderId === IMPORT_BUILDER_ID) return;
  throw new Error(`Unknown artifact type: ${builderId}\n${requirement}`);
}

/** An image. */
export interface ImageArtifactOptions {
  /** The kind of artifact. */
  builderId: string;
  /** Its id or name. */
  id: string;
  /** The program that has it. */
  docker: Docker;
  /** Its names, `REPOSITORY:TAG`. */
  tags?: readonly string[];
  /** What its builder published. */
  data?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * An image that the daemon has.
 *
 * @param options The image.
 */
export function imageArtifact(
  { builderId, id, docker, tags = [], data }: ImageArtifactOptions,
): Artifact {
  return {
    builderId,
    id,
    files: [],
    state: stateOf({ [GENERATED_DATA]: data, [TAGS]: [...tags] }),
    destroy: async () => void await docker.run(["rmi", id]),
    toString: () =>
      `Imported Docker image: ${id}` +
      (tags.length > 0 ? ` with tags ${tags.join(" ")}` : ""),
  };
}

/**
 * The names that an artifact's image has beside its id.
 *
 * @param artifact An artifact of any plugin's.
 */
export async function tagsOf(artifact: Artifact): Promise<string[]> {
  const tags = await artifact.state?.(TAGS);
  return Array.isArray(tags)
    ? tags.filter((tag): tag is string => typeof tag === "string")
    : [];
}

/**
 * What an artifact's builder published.
 *
 * @param artifact An artifact of any plugin's.
 */
export async function dataOf(
  artifact: Artifact,
): Promise<Record<string, unknown>> {
  const data = await artifact.state?.(GENERATED_DATA);
  if (data instanceof Map) return Object.fromEntries(data);
  return typeof data === "object" && data !== null && !Array.isArray(data)
    ? { ...data }
    : {};
}

/**
 * An exported container; none where it was discarded.
 *
 * @param path The file, as the template names it; empty where there is none.
 * @param remove Removes the file.
 * @param data What the builder published.
 */
export function exportArtifact(
  path: string,
  remove: () => Promise<void>,
  data: Readonly<Record<string, unknown>>,
): Artifact {
  return {
    builderId: EXPORT_BUILDER_ID,
    id: "Container",
    files: path === "" ? [] : [path],
    state: stateOf({ [GENERATED_DATA]: data }),
    destroy: remove,
    toString: () => `Exported Docker file: ${path}`,
  };
}

function stateOf(
  state: Readonly<Record<string, unknown>>,
): (name: string) => unknown {
  return (name) => Object.hasOwn(state, name) ? state[name] : undefined;
}
