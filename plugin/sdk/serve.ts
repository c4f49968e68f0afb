// Serving: the functions with which an author turns a program into a plugin.

import type { Builder } from "../contract/builder.ts";
import type { Command } from "../contract/command.ts";
import type { Hook } from "../contract/hook.ts";
import type { PostProcessor } from "../contract/post_processor.ts";
import type { Provisioner } from "../contract/provisioner.ts";
import { VERSION } from "../common/version.ts";
import { type Hello, PROTOCOL_VERSIONS } from "../rpc/protocol.ts";
import {
  type Components,
  type ComponentSource,
  instanceOf,
} from "./components.ts";

/** Settings of a plugin. */
export interface ServeOptions {
  /** The plugin's own version, which `describe` prints. */
  version?: string;
  /** The command-line arguments of the plugin; `Deno.args` by default. */
  args?: readonly string[];
  /**
   * True to pass components their configuration without rendering the templates in
   * it, since they render them themselves.
   */
  rawConfig?: boolean;
}

/**
 * Serves one builder, under any name that a template gives it.
 *
 * @param builder The builder's class, a function that makes it, or an instance.
 * @param options Settings of the plugin.
 * @returns A promise that stays pending: the process exits when the host does.
 *
 * @example
 * ```ts ignore
 * import { type Builder, type BuilderRunOptions, serveBuilder } from "@baler/baler";
 *
 * class CustomCloud implements Builder {
 *   prepare() {}
 *   async run({ ui }: BuilderRunOptions) {
 *     await ui.say("Hello from another process");
 *   }
 * }
 *
 * serveBuilder(CustomCloud);
 * ```
 */
export function serveBuilder(
  builder: ComponentSource<Builder<never>>,
  options?: ServeOptions,
): Promise<void> {
  return serve({ builder: { "": builder } }, options);
}

/**
 * Serves one provisioner, under any name that a template gives it.
 *
 * @param provisioner The provisioner's class, a function that makes it, or an instance.
 * @param options Settings of the plugin.
 * @returns A promise that stays pending: the process exits when the host does.
 */
export function serveProvisioner(
  provisioner: ComponentSource<Provisioner<never>>,
  options?: ServeOptions,
): Promise<void> {
  return serve({ provisioner: { "": provisioner } }, options);
}

/**
 * Serves one post-processor, under any name that a template gives it.
 *
 * @param postProcessor The post-processor's class, a function that makes it, or an instance.
 * @param options Settings of the plugin.
 * @returns A promise that stays pending: the process exits when the host does.
 */
export function servePostProcessor(
  postProcessor: ComponentSource<PostProcessor<never>>,
  options?: ServeOptions,
): Promise<void> {
  return serve({ "post-processor": { "": postProcessor } }, options);
}

/**
 * Serves one command, under any name that it is called by.
 *
 * @param command The command's class, a function that makes it, or an instance.
 * @param options Settings of the plugin.
 * @returns A promise that stays pending: the process exits when the host does.
 */
export function serveCommand(
  command: ComponentSource<Command>,
  options?: ServeOptions,
): Promise<void> {
  return serve({ command: { "": command } }, options);
}

/**
 * Serves one hook.
 *
 * @param hook The hook's class, a function that makes it, or an instance.
 * @param options Settings of the plugin.
 * @returns A promise that stays pending: the process exits when the host does.
 */
export function serveHook(
  hook: ComponentSource<Hook>,
  options?: ServeOptions,
): Promise<void> {
  return serve({ hook: { "": hook } }, options);
}

/**
 * Serves several components from one executable.
 *
 * With the command-line argument `describe` it prints what the plugin serves
 * and which permissions it has, as JSON, and returns.
 *
 * @param components The components, by kind and name.
 * @param options Settings of the plugin.
 * @returns A promise that stays pending: the process exits when the host does.
 *
 * @example
 * ```ts ignore
 * import {
 *   type PostProcessOptions,
 *   type PostProcessor,
 *   type Provisioner,
 *   type ProvisionOptions,
 *   serve,
 * } from "@baler/baler";
 *
 * class Greet implements Provisioner {
 *   prepare() {}
 *   async provision({ ui }: ProvisionOptions) {
 *     await ui.say("Hello");
 *   }
 * }
 *
 * class Sign implements PostProcessor {
 *   configure() {}
 *   postProcess({ artifact }: PostProcessOptions) {
 *     return { artifact };
 *   }
 * }
 *
 * serve({ provisioner: { greet: Greet }, "post-processor": { sign: Sign } });
 * ```
 */
export async function serve(
  components: Components,
  options: ServeOptions = {},
): Promise<void> {
  const args = options.args ?? Deno.args;
  if (args[0] === "describe") {
    return await printDescription(components, options);
  }
  if (isRunByPacker()) {
    const [{ servePacker }, { adaptComponent }] = await Promise.all([
      import("../packer_wire/serve.ts"),
      import("./component_adapter.ts"),
    ]);
    return await servePacker({
      components: helloOf(components, options).components,
      args,
      create: async (kind, name) =>
        adaptComponent(kind, await instanceOf(components[kind]![name]!, name)),
    });
  }
  // Loaded here, since neither `describe` nor Packer needs baler's wire.
  const [{ exitRunManually, Session }, { claimStdio }] = await Promise.all([
    import("./session.ts"),
    import("./stdio.ts"),
  ]);
  if (Deno.stdin.isTerminal() || Deno.stdout.isTerminal()) exitRunManually();
  const streams = claimStdio();
  await new Session(components, streams, options.rawConfig ?? false).run(
    helloOf(components, options),
  );
}

/** The cookie that Packer sets in the environment of its plugins. */
const PACKER_COOKIE =
  "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

function isRunByPacker(): boolean {
  const variable = "PACKER_PLUGIN_MAGIC_COOKIE";
  // Without the permission, reading it would prompt the user at a terminal.
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" && Deno.env.get(variable) === PACKER_COOKIE;
}

/** Prints one object with the descriptions that baler and Packer read. */
async function printDescription(
  components: Components,
  options: ServeOptions,
): Promise<void> {
  const [{ describe }, { describeForPacker }] = await Promise.all([
    import("./describe.ts"),
    import("../packer_wire/describe.ts"),
  ]);
  const hello = helloOf(components, options);
  const description = {
    // To make an adapter's component would start the program behind it.
    ...await describe(hello, options.rawConfig ? {} : components),
    ...describeForPacker(hello),
  };
  console.log(JSON.stringify(description, null, 2));
}

function helloOf(components: Components, { version }: ServeOptions): Hello {
  return {
    hello: "baler",
    protocols: [...PROTOCOL_VERSIONS],
    sdk: VERSION,
    ...(version === undefined ? {} : { version }),
    components: Object.fromEntries(
      Object.entries(components).map((
        [kind, byName],
      ) => [kind, Object.keys(byName ?? {})]),
    ),
  };
}
