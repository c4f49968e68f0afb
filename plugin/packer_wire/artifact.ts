// The artifact on Packer's wire: `Artifact.Id` and its kin.

import type { Artifact } from "../contract/artifact.ts";
import type { RpcClient, RpcMethods } from "./net_rpc.ts";
import { replyError, string, strings } from "./values.ts";

/** The state under which post-processors find what the builder has published. */
export const GENERATED_DATA = "generated_data";

/**
 * Serves an artifact.
 *
 * @param artifact The artifact.
 * @param data What the builder has published, for post-processors, where the artifact itself does not have it.
 * @returns The methods.
 */
export function serveArtifact(
  artifact: Artifact,
  data?: Record<string, unknown>,
): RpcMethods {
  return new Map<string, (argument: unknown) => unknown>([
    ["Artifact.BuilderId", () => string(artifact.builderId)],
    ["Artifact.Id", () => string(artifact.id)],
    ["Artifact.Files", () => [...artifact.files ?? []].map(string)],
    ["Artifact.String", () => artifact.toString()],
    ["Artifact.State", async (argument) => {
      const name = string(argument);
      const state = await artifact.state?.(name);
      return state ?? (name === GENERATED_DATA ? data : undefined);
    }],
    ["Artifact.Destroy", async () => void await artifact.destroy()],
  ]);
}

/** An artifact that the other side serves. */
export class RemoteArtifact implements Artifact {
  readonly #client: RpcClient;
  readonly #text: string;
  /** Names what made it. */
  readonly builderId: string;
  /** What identifies it. */
  readonly id: string;
  /** The paths of its files. */
  readonly files: readonly string[];

  private constructor(
    client: RpcClient,
    builderId: string,
    id: string,
    files: string[],
    text: string,
  ) {
    this.#client = client;
    this.builderId = builderId;
    this.id = id;
    this.files = files;
    this.#text = text;
  }

  /**
   * Reads what an artifact is.
   *
   * @param client Calls what the other side serves; it must stay open as long as the artifact is used.
   */
  static async read(client: RpcClient): Promise<RemoteArtifact> {
    const [builderId, id, files, text] = await Promise.all(
      ["BuilderId", "Id", "Files", "String"].map((name) =>
        client.call(`Artifact.${name}`)
      ),
    );
    return new RemoteArtifact(
      client,
      string(builderId),
      string(id),
      strings(files),
      string(text),
    );
  }

  /** Something more about the artifact; undefined where there is nothing. */
  async state(name: string): Promise<unknown> {
    return await this.#client.call("Artifact.State", name) ?? undefined;
  }

  /** Deletes the artifact. */
  async destroy(): Promise<void> {
    const error = replyError(await this.#client.call("Artifact.Destroy"));
    if (error !== undefined) throw error;
  }

  /** The artifact in one line. */
  toString(): string {
    return this.#text;
  }
}
