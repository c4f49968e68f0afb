// Runs one bundled builder or provisioner in this process, without a host.

import { LocalCommunicator } from "../../plugin/builder/communicators/local.ts";
import type { BuildContext } from "../../plugin/contract/build_context.ts";
import type { PrepareResult } from "../../plugin/contract/builder.ts";
import type { Communicator } from "../../plugin/contract/communicator.ts";
import type { Options } from "../../plugin/contract/options.ts";
import { decodeConfig } from "../../plugin/sdk/decode_config.ts";
import type { ProvisionOptions } from "../../plugin/contract/provisioner.ts";
import { buildContext, RecordingUi } from "./recording_ui.ts";

interface Preparable {
  options: Options;
  // Each component's own configuration, which its options describe.
  prepare(options: { config: never; build: BuildContext }): unknown;
}

/**
 * Prepares a component as `serve` does.
 *
 * @param component The component.
 * @param config Its configuration.
 * @param build The build.
 * @param rendered More configuration, with ``{{build `ID`}}`` not rendered yet.
 */
export async function prepared(
  component: Preparable,
  config: Record<string, unknown>,
  build: BuildContext,
  rendered: Record<string, unknown> = {},
): Promise<PrepareResult | void> {
  const decoded = await decodeConfig(config, component.options, build);
  return await component.prepare({
    config: { ...decoded, ...rendered } as never,
    build,
  }) as PrepareResult | void;
}

/** Options of {@linkcode provisioned}. */
export interface ProvisionedOptions {
  /** The working directory of the build. */
  dir: string;
  /** The provisioner's configuration. */
  config: Record<string, unknown>;
  /** More configuration, with ``{{build `ID`}}`` not rendered yet. */
  rendered?: Record<string, unknown>;
  ui?: RecordingUi;
  /** The machine; this one by default. */
  communicator?: Communicator;
  data?: Record<string, unknown>;
  signal?: AbortSignal;
}

/** Runs a provisioner, on this machine by default; returns the lines that its ui recorded. */
export async function provisioned(
  provisioner: Preparable & {
    provision(options: ProvisionOptions): void | Promise<void>;
  },
  { dir, config, rendered, ui = new RecordingUi(), communicator, data, signal }:
    ProvisionedOptions,
): Promise<string[]> {
  await prepared(provisioner, config, buildContext(dir), rendered);
  await using local = new LocalCommunicator({ workingDirectory: dir });
  await provisioner.provision({
    ui,
    communicator: communicator ?? local,
    data: data ?? { ID: "i-1" },
    signal: signal ?? new AbortController().signal,
  });
  return ui.lines;
}

/** A writable stream that collects its bytes, and the string that they decode to. */
export function collected(): {
  stream: WritableStream<Uint8Array>;
  text(): string;
} {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  return {
    stream: new WritableStream({
      write: (chunk) => void chunks.push(new Uint8Array(chunk)),
    }),
    text: () =>
      new TextDecoder().decode(
        Uint8Array.from(chunks.flatMap((chunk) => [...chunk])),
      ),
  };
}
