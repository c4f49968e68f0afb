// Prepares a component as baler does, in the test's process or in one of its
// own, so that a test can run it.

import type { Artifact } from "../contract/artifact.ts";
import type { BuildContext } from "../contract/build_context.ts";
import type { Builder, PrepareResult } from "../contract/builder.ts";
import type { Command } from "../contract/command.ts";
import type { Communicator } from "../contract/communicator.ts";
import type { Hook } from "../contract/hook.ts";
import type {
  PostProcessor,
  PostProcessResult,
} from "../contract/post_processor.ts";
import type { Provisioner } from "../contract/provisioner.ts";
import { adaptComponent } from "../sdk/component_adapter.ts";
import { type ComponentSource, instanceOf } from "../sdk/components.ts";
import { buildContext } from "./build_context.ts";
import { MemoryCommunicator } from "./memory_communicator.ts";
import { PluginProgram } from "./plugin_program.ts";
import { RecordingHook } from "./recording_hook.ts";
import { RecordingUi } from "./recording_ui.ts";

/** What a component under test gets from its template and its build. */
export interface TestOptions {
  /** Its configuration, as a template has it; empty by default. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** What differs from a build that was started without flags. */
  readonly build?: Partial<BuildContext>;
  /** The ui; one that records and answers no question by default. */
  readonly ui?: RecordingUi;
}

/** A component that is prepared. */
export abstract class ComponentUnderTest implements AsyncDisposable {
  /** The ui, which records what the component shows. */
  readonly ui: RecordingUi;
  /** The warnings that `prepare` returned. */
  readonly warnings: readonly string[];
  /** The names of generated data that `prepare` returned. */
  readonly generatedData: readonly string[];
  readonly #close: () => Promise<void>;

  /** Call one of the functions `testBuilder`, ... instead. */
  constructor(
    { ui = new RecordingUi() }: TestOptions,
    { warnings = [], generatedData = [] }: PrepareResult,
    close: () => Promise<void>,
  ) {
    this.ui = ui;
    this.warnings = warnings;
    this.generatedData = generatedData;
    this.#close = close;
  }

  /**
   * Ends the component's process, if it has one of its own.
   *
   * @throws {Error} When the process did not shut down as it should.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** A builder that is prepared. */
export class BuilderUnderTest extends ComponentUnderTest {
  readonly #builder: Builder;

  /** Call {@linkcode testBuilder} instead. */
  constructor(
    builder: Builder,
    options: TestOptions,
    result: PrepareResult,
    close: () => Promise<void>,
  ) {
    super(options, result, close);
    this.#builder = builder;
  }

  /**
   * Builds.
   *
   * @param options The hook, which runs no provisioner by default, and the signal.
   * @returns The artifact; undefined when there is none.
   * @throws {Error} What the builder threw.
   */
  async run(
    options: { readonly hook?: Hook; readonly signal?: AbortSignal } = {},
  ): Promise<Artifact | undefined> {
    return await this.#builder.run({
      ui: this.ui,
      hook: options.hook ?? new RecordingHook(),
      signal: options.signal ?? new AbortController().signal,
    }) ?? undefined;
  }
}

/** A provisioner that is prepared. */
export class ProvisionerUnderTest extends ComponentUnderTest {
  readonly #provisioner: Provisioner;

  /** Call {@linkcode testProvisioner} instead. */
  constructor(
    provisioner: Provisioner,
    options: TestOptions,
    result: PrepareResult,
    close: () => Promise<void>,
  ) {
    super(options, result, close);
    this.#provisioner = provisioner;
  }

  /**
   * Provisions a machine.
   *
   * @param options The machine, which is in memory by default, the values that
   * the builder has published, and the signal.
   * @returns The machine.
   * @throws {Error} What the provisioner threw.
   */
  async provision<Machine extends Communicator = MemoryCommunicator>(
    options: {
      readonly communicator?: Machine;
      readonly data?: Record<string, unknown>;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<Machine> {
    const communicator = options.communicator ??
      new MemoryCommunicator() as Communicator as Machine;
    await this.#provisioner.provision({
      ui: this.ui,
      communicator,
      data: options.data ?? {},
      signal: options.signal ?? new AbortController().signal,
    });
    return communicator;
  }
}

/** A post-processor that is configured. */
export class PostProcessorUnderTest extends ComponentUnderTest {
  readonly #postProcessor: PostProcessor;

  /** Call {@linkcode testPostProcessor} instead. */
  constructor(
    postProcessor: PostProcessor,
    options: TestOptions,
    result: PrepareResult,
    close: () => Promise<void>,
  ) {
    super(options, result, close);
    this.#postProcessor = postProcessor;
  }

  /**
   * Processes an artifact.
   *
   * @param options The artifact, the values that the builder has published, and
   * the signal.
   * @returns The new artifact, and whether to keep the input artifact.
   * @throws {Error} What the post-processor threw.
   */
  async postProcess(
    options: {
      readonly artifact: Artifact;
      readonly data?: Record<string, unknown>;
      readonly signal?: AbortSignal;
    },
  ): Promise<PostProcessResult> {
    return await this.#postProcessor.postProcess({
      ui: this.ui,
      artifact: options.artifact,
      data: options.data ?? {},
      signal: options.signal ?? new AbortController().signal,
    });
  }
}

/** What a command did. */
export interface CommandOutcome {
  /** Its exit code. */
  readonly code: number;
  /** What it wrote to stdout. */
  readonly stdout: string;
}

/** A command. */
export class CommandUnderTest extends ComponentUnderTest {
  readonly #command: Command;

  /** Call {@linkcode testCommand} instead. */
  constructor(
    command: Command,
    options: TestOptions,
    close: () => Promise<void>,
  ) {
    super(options, {}, close);
    this.#command = command;
  }

  /**
   * Runs the command.
   *
   * @param args The arguments after its name.
   * @param options Its stdin, which is empty by default, and the signal.
   * @returns Its exit code and what it wrote to stdout.
   * @throws {Error} What the command threw.
   */
  async run(
    args: readonly string[] = [],
    options: { readonly stdin?: string; readonly signal?: AbortSignal } = {},
  ): Promise<CommandOutcome> {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    const code = await this.#command.run({
      args: [...args],
      ui: this.ui,
      stdin: new Blob([options.stdin ?? ""]).stream(),
      stdout: new WritableStream<Uint8Array>({
        write: (chunk) => void chunks.push(new Uint8Array(chunk)),
      }),
      workingDirectory: Deno.cwd(),
      signal: options.signal ?? new AbortController().signal,
    });
    return { code: code ?? 0, stdout: await new Blob(chunks).text() };
  }
}

/**
 * Prepares a builder as baler does: its configuration is decoded by its
 * `options` first.
 *
 * @param source Its class, a function that makes it, an instance, or a plugin.
 * @param options Its configuration and its build.
 * @returns The builder, which can be run.
 * @throws {ConfigError} When its configuration is not valid.
 *
 * @example
 * ```ts ignore
 * import { testBuilder } from "@baler/baler/testing";
 * import { Hello } from "./hello.ts";
 *
 * await using builder = await testBuilder(Hello, { config: { whom: "Ada" } });
 * const artifact = await builder.run();
 * console.log(artifact?.files, builder.ui.lines);
 * ```
 */
export async function testBuilder(
  source: ComponentSource<Builder<never>> | PluginProgram,
  options: TestOptions = {},
): Promise<BuilderUnderTest> {
  const { component, result, close } = await prepare<Builder>(
    "builder",
    source,
    options,
  );
  return new BuilderUnderTest(component, options, result, close);
}

/**
 * Prepares a provisioner as baler does.
 *
 * @param source Its class, a function that makes it, an instance, or a plugin.
 * @param options Its configuration and its build.
 * @returns The provisioner, which can be run.
 * @throws {ConfigError} When its configuration is not valid.
 */
export async function testProvisioner(
  source: ComponentSource<Provisioner<never>> | PluginProgram,
  options: TestOptions = {},
): Promise<ProvisionerUnderTest> {
  const { component, result, close } = await prepare<Provisioner>(
    "provisioner",
    source,
    options,
  );
  return new ProvisionerUnderTest(component, options, result, close);
}

/**
 * Configures a post-processor as baler does.
 *
 * @param source Its class, a function that makes it, an instance, or a plugin.
 * @param options Its configuration and its build.
 * @returns The post-processor, which can be run.
 * @throws {ConfigError} When its configuration is not valid.
 */
export async function testPostProcessor(
  source: ComponentSource<PostProcessor<never>> | PluginProgram,
  options: TestOptions = {},
): Promise<PostProcessorUnderTest> {
  const { component, result, close } = await prepare<PostProcessor>(
    "post-processor",
    source,
    options,
  );
  return new PostProcessorUnderTest(component, options, result, close);
}

/**
 * Makes a command as baler does.
 *
 * @param source Its class, a function that makes it, an instance, or a plugin.
 * @param options The ui; a command has neither configuration nor build.
 * @returns The command, which can be run.
 */
export async function testCommand(
  source: ComponentSource<Command> | PluginProgram,
  options: Pick<TestOptions, "ui"> = {},
): Promise<CommandUnderTest> {
  const { component, close } = await created<Command>("command", source);
  return new CommandUnderTest(component, options, close);
}

interface Created<Component> {
  readonly component: Component;
  readonly close: () => Promise<void>;
}

async function prepare<Component extends object>(
  kind: string,
  source: ComponentSource | PluginProgram,
  { config = {}, build }: TestOptions,
): Promise<Created<Component> & { readonly result: PrepareResult }> {
  const { component, close } = await created<Component>(kind, source);
  const method = kind === "post-processor" ? "configure" : "prepare";
  try {
    const prepared = component as Record<
      typeof method,
      Builder["prepare"]
    >;
    const result = await prepared[method]({
      config: { ...config },
      build: buildContext(build),
    });
    return { component, close, result: result ?? {} };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Creates a component, in this process unless it is of a plugin. */
async function created<Component extends object>(
  kind: string,
  source: ComponentSource | PluginProgram,
): Promise<Created<Component>> {
  if (source instanceof PluginProgram) return await launched(kind, source);
  const own = await instanceOf(source, "");
  return {
    component: adaptComponent(kind, own) as Component,
    close: async () => {},
  };
}

/** Starts a plugin's process, and creates a component in it. */
async function launched<Component extends object>(
  kind: string,
  { command, options: { name = "", env } }: PluginProgram,
): Promise<Created<Component>> {
  // A test that runs its component in its own process does not load the host.
  const { launch } = await import("../../host/mod.ts");
  const plugin = await launch(
    typeof command === "string" ? command : [...command],
    env === undefined ? {} : { env: { ...env } },
  );
  try {
    return {
      component: await plugin.create<Component>(kind, name),
      close: async () => {
        const error = await plugin.close();
        if (error !== undefined) throw error;
      },
    };
  } catch (error) {
    await plugin.close();
    throw error;
  }
}
