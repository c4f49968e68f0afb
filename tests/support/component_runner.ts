// One bundled builder or provisioner by itself, with a person who is a list of
// lines: for tests of what it does without a host.

import { LocalCommunicator } from "../../plugin/bundled/communicators/local.ts";
import type { BuildContext } from "../../plugin/contract/build_context.ts";
import type { PrepareResult } from "../../plugin/contract/builder.ts";
import type { Communicator } from "../../plugin/contract/communicator.ts";
import type { Options } from "../../plugin/contract/options.ts";
import { decodeConfig } from "../../plugin/sdk/decode_config.ts";
import type { ProvisionOptions } from "../../plugin/contract/provisioner.ts";
import type { Ui } from "../../plugin/contract/ui.ts";

/** A person who notes what they see, and answers from a list. */
export class NotingUi implements Ui {
  /** What they saw: `say: ...`, `message: ...`, `error: ...`, `ask: ...`. */
  readonly lines: string[] = [];

  constructor(readonly answers: (string | Promise<string>)[] = []) {}

  say(line: string) {
    this.lines.push(`say: ${line}`);
  }
  message(line: string) {
    this.lines.push(`message: ${line}`);
  }
  error(line: string) {
    this.lines.push(`error: ${line}`);
  }
  machine() {}
  ask(query: string) {
    this.lines.push(`ask: ${query}`);
    const answer = this.answers.shift();
    if (answer === undefined) throw new Error("no available tty");
    return answer;
  }
  progress() {}
}

/** A build in this folder. */
export function buildIn(
  workingDirectory: string,
  more: Partial<BuildContext> = {},
): BuildContext {
  return {
    name: "alone",
    type: "null",
    workingDirectory,
    userVariables: {},
    sensitiveVariables: [],
    debug: false,
    force: false,
    onError: "cleanup",
    coreVersion: "0.1.0",
    packerVersion: "1.6.6",
    startedAt: new Date(0),
    ...more,
  };
}

interface Preparable {
  options: Options;
  // Each component's own configuration, which its options describe.
  prepare(options: { config: never; build: BuildContext }): unknown;
}

/**
 * Prepares a component as `serve` does.
 *
 * @param rendered More configuration, with ``{{build `ID`}}`` still to be filled in.
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

/** What {@linkcode provisioned} is given. */
export interface ProvisionedOptions {
  /** The folder of the build. */
  dir: string;
  /** The configuration. */
  config: Record<string, unknown>;
  /** More of it, with ``{{build `ID`}}`` still to be filled in. */
  rendered?: Record<string, unknown>;
  ui?: NotingUi;
  /** The machine; this one unless given. */
  communicator?: Communicator;
  data?: Record<string, unknown>;
  signal?: AbortSignal;
}

/** Runs a provisioner, on this machine unless told otherwise; gives what the person saw. */
export async function provisioned(
  provisioner: Preparable & {
    provision(options: ProvisionOptions): void | Promise<void>;
  },
  { dir, config, rendered, ui = new NotingUi(), communicator, data, signal }:
    ProvisionedOptions,
): Promise<string[]> {
  await prepared(provisioner, config, buildIn(dir), rendered);
  await using local = new LocalCommunicator({ workingDirectory: dir });
  await provisioner.provision({
    ui,
    communicator: communicator ?? local,
    data: data ?? { ID: "i-1" },
    signal: signal ?? new AbortController().signal,
  });
  return ui.lines;
}

/** A folder that is gone at the end of the test. */
export async function folder(
  files: Record<string, string> = {},
): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.realPath(
    await Deno.makeTempDir({ prefix: "baler-test-" }),
  );
  for (const [name, content] of Object.entries(files)) {
    const file = `${path}/${name}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), {
      recursive: true,
    });
    await Deno.writeTextFile(file, content);
  }
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** What a stream of bytes has to say, all of it. */
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

/** True while a process is there and has not ended. */
export async function isRunning(pid: number): Promise<boolean> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-o", "stat=", "-p", String(pid)],
  }).output();
  const state = new TextDecoder().decode(stdout).trim();
  return state !== "" && !state.startsWith("Z");
}
