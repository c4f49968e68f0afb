// Serving: what the executable of a plugin does. It says hello, makes the
// components that the host asks for, and ends when the host does.

import type { Builder } from "../contract/builder.ts";
import type { Command } from "../contract/command.ts";
import { adaptComponent, isConfigurable } from "./component_adapter.ts";
import type { Hook } from "../contract/hook.ts";
import type { PostProcessor } from "../contract/post_processor.ts";
import type { Provisioner } from "../contract/provisioner.ts";
import { Connection } from "../rpc/connection.ts";
import { FrameReader } from "../rpc/frame_reader.ts";
import {
  ConnectionClosedError,
  DEFAULT_LIMITS,
  type Hello,
  PROTOCOL_VERSIONS,
} from "../rpc/protocol.ts";
import { claimStdio, type WireStreams } from "./stdio.ts";
import { VERSION } from "../common/version.ts";

/**
 * One component of a plugin: the class of it or a function that makes it, so
 * that each build gets an instance of its own, or the one instance that there
 * is. The function may take its time, for example to load the component only
 * now: a plugin that serves many starts faster when it does.
 *
 * @example
 * ```ts ignore
 * import { serve } from "@baler/baler";
 *
 * serve({
 *   builder: {
 *     small: async () => new (await import("./small.ts")).Small(),
 *     large: async () => new (await import("./large.ts")).Large(),
 *   },
 * });
 * ```
 */
export type ComponentSource<T extends object = object> =
  | T
  | (new () => T)
  | (() => T | Promise<T>);

/**
 * The components of a plugin: by kind, then by name. baler's own kinds are
 * `builder`, `provisioner`, `post-processor`, `command` and `hook`; another
 * program's host has its own.
 */
export interface Components {
  /** Makes artifacts. */
  builder?: Record<string, ComponentSource<Builder<never>>>;
  /** Changes a machine that is being built. */
  provisioner?: Record<string, ComponentSource<Provisioner<never>>>;
  /** Works on an artifact. */
  "post-processor"?: Record<string, ComponentSource<PostProcessor<never>>>;
  /** Adds a word to the command line. */
  command?: Record<string, ComponentSource<Command>>;
  /** Takes part in a moment of a build. */
  hook?: Record<string, ComponentSource<Hook>>;
  /** Whatever else a host knows what to do with. */
  [kind: string]: Record<string, ComponentSource> | undefined;
}

/** What a plugin says of itself. */
export interface ServeOptions {
  /** The plugin's own version, which `describe` shows. */
  version?: string;
  /** The words of the command line that are meant for it; all unless given. */
  args?: readonly string[];
}

/** How long the work under way may take to clean up once the host is gone, in milliseconds. */
const GRACE = 10_000;

/**
 * Serves one builder, under whatever name a template gives it.
 *
 * @param builder The builder, or its class, or a function that makes it.
 * @param options What the plugin says of itself.
 * @returns Never, in effect: the process ends with the host.
 *
 * @example
 * ```ts ignore
 * import { serveBuilder } from "@baler/baler";
 *
 * serveBuilder({
 *   prepare() {},
 *   async run({ ui }) {
 *     await ui.say("Nothing to build here");
 *   },
 * });
 * ```
 */
export function serveBuilder(
  builder: ComponentSource<Builder<never>>,
  options?: ServeOptions,
): Promise<void> {
  return serve({ builder: { "": builder } }, options);
}

/**
 * Serves one provisioner, under whatever name a template gives it.
 *
 * @param provisioner The provisioner, or its class, or a function that makes it.
 * @param options What the plugin says of itself.
 */
export function serveProvisioner(
  provisioner: ComponentSource<Provisioner<never>>,
  options?: ServeOptions,
): Promise<void> {
  return serve({ provisioner: { "": provisioner } }, options);
}

/**
 * Serves one post-processor, under whatever name a template gives it.
 *
 * @param postProcessor The post-processor, or its class, or a function that makes it.
 * @param options What the plugin says of itself.
 */
export function servePostProcessor(
  postProcessor: ComponentSource<PostProcessor<never>>,
  options?: ServeOptions,
): Promise<void> {
  return serve({ "post-processor": { "": postProcessor } }, options);
}

/**
 * Serves one command, under whatever name it is called by.
 *
 * @param command The command, or its class, or a function that makes it.
 * @param options What the plugin says of itself.
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
 * @param hook The hook, or its class, or a function that makes it.
 * @param options What the plugin says of itself.
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
 * @param components The components, by kind and name.
 * @param options What the plugin says of itself.
 * @returns Never, in effect: the process ends with the host.
 *
 * @example
 * ```ts ignore
 * import { type PostProcessor, type Provisioner, serve } from "@baler/baler";
 *
 * class Greet implements Provisioner {
 *   prepare() {}
 *   async provision({ ui }: Parameters<Provisioner["provision"]>[0]) {
 *     await ui.say("Hello");
 *   }
 * }
 *
 * class Sign implements PostProcessor {
 *   configure() {}
 *   postProcess({ artifact }: Parameters<PostProcessor["postProcess"]>[0]) {
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
  if ((options.args ?? Deno.args)[0] === "describe") {
    const { describe } = await import("./describe.ts");
    console.log(
      JSON.stringify(describe(helloOf(components, options)), null, 2),
    );
    return;
  }
  if (Deno.stdin.isTerminal() || Deno.stdout.isTerminal()) exitRunManually();
  const streams = claimStdio();
  await new Session(components, streams).run(helloOf(components, options));
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

function exitRunManually(): never {
  console.error(
    "This is a baler plugin; baler runs it.\n" +
      'Name it in a template, for example {"builders": {"NAME": "' +
      `${Deno.execPath()}"}}, and run "baler build TEMPLATE".\n` +
      'Run it with the argument "describe" to see what it serves.',
  );
  Deno.exit(1);
}

/** The time from the hello to the end of the process. */
class Session {
  readonly #components: Components;
  readonly #streams: WireStreams;
  readonly #connection: Connection;
  #welcomed = false;
  #ending = false;

  constructor(components: Components, streams: WireStreams) {
    this.#components = components;
    this.#streams = streams;
    this.#connection = new Connection({
      write: streams.write,
      peer: "the host",
      onFreshLines: true,
      root: {
        ping() {},
        create: (kind: unknown, name: unknown) =>
          this.#create(String(kind), String(name)),
      },
      onProtocolError: (error) => {
        console.error(`${error.name}: ${error.message}`);
        void this.#end(1);
      },
    });
  }

  async run(hello: Hello): Promise<void> {
    // Ctrl-C in a terminal is the host's to handle; it tells by the wire.
    ignoreSignal("SIGINT");
    onSignal("SIGTERM", () => this.#end(0));
    onSignal("SIGHUP", () => this.#end(0));
    // On a line of its own, whatever was printed before.
    this.#streams.write(
      new TextEncoder().encode(`\n{"json":${JSON.stringify(hello)}}\n`),
    );
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const room = this.#connection.room;
      if (room === undefined) await this.#connection.flushPromptAnswers();
      const read = this.#streams.read(
        room ?? buffer,
        room !== undefined || this.#connection.expectsMore,
      );
      const count = read instanceof Promise ? await read : read;
      if (count === null) break;
      if (room === undefined) this.#receive(buffer.subarray(0, count));
      else this.#connection.filled(count);
    }
    if (!this.#welcomed) exitRunManually();
    await this.#end(0);
  }

  /** Takes the welcome, then leaves the rest to the connection. */
  #receive(chunk: Uint8Array): void {
    if (this.#welcomed) return this.#connection.receive(chunk);
    const end = chunk.indexOf(10) + 1;
    try {
      this.#firstLine.push(
        end === 0 ? chunk : chunk.subarray(0, end),
        (frame) => {
          if (typeof frame.json.refuse === "string") {
            console.error(frame.json.refuse);
            Deno.exit(1);
          }
          if (
            !PROTOCOL_VERSIONS.includes(frame.json.welcome as number)
          ) exitRunManually();
          this.#welcomed = true;
        },
      );
    } catch (error) {
      // What is piped into it is not from a host.
      console.error(`${(error as Error).name}: ${(error as Error).message}`);
      exitRunManually();
    }
    if (this.#welcomed) this.#connection.receive(chunk.subarray(end));
  }
  readonly #firstLine = new FrameReader(DEFAULT_LIMITS);

  async #create(kind: string, name: string): Promise<object> {
    const byName = Object.hasOwn(this.#components, kind)
      ? this.#components[kind]
      : undefined;
    const served = byName === undefined
      ? undefined
      : Object.hasOwn(byName, name)
      ? byName[name]
      : byName[""];
    if (served === undefined) {
      throw new Error(`this plugin serves no ${kind} "${name}"`);
    }
    if (typeof served !== "function" && isConfigurable(kind)) {
      // Its configuration would be overwritten: the host starts another process.
      if (this.#given.has(served)) {
        throw Object.assign(
          new Error(`this plugin serves one ${kind} "${name}" a process`),
          { code: "E_ONE_INSTANCE" },
        );
      }
      this.#given.add(served);
    }
    return adaptComponent(kind, await instanceOf(served));
  }
  /** The instances that the host has been given. */
  readonly #given = new Set<object>();

  /** Gives up the work under way, lets it clean up, and ends the process. */
  async #end(code: number): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    this.#connection.close(new ConnectionClosedError("baler has ended"));
    const patience = setTimeout(() => {
      console.error(
        `The work under way has not ended within ${GRACE / 1000} s; giving up.`,
      );
      Deno.exit(1);
    }, GRACE);
    await this.#connection.idle();
    clearTimeout(patience);
    endGroup();
    Deno.exit(code);
  }
}

/**
 * Asks what this plugin has started, and has not ended, to end with it. The
 * host does so too, and then insists; but it may be gone. Without the
 * permission to run there is nothing, or no way to do it.
 */
function endGroup(): void {
  if (Deno.build.os === "windows") return;
  try {
    // This process has long stopped to listen.
    Deno.kill(-Deno.pid, "SIGTERM");
  } catch {
    // It leads no group, or may not.
  }
}

async function instanceOf(served: ComponentSource): Promise<object> {
  if (typeof served !== "function") return served;
  // Only a class has a prototype that cannot be replaced.
  const isClass =
    Object.getOwnPropertyDescriptor(served, "prototype")?.writable === false;
  return isClass
    ? new (served as new () => object)()
    : await (served as () => object | Promise<object>)();
}

function ignoreSignal(signal: Deno.Signal): void {
  onSignal(signal, () => {});
}

function onSignal(signal: Deno.Signal, listener: () => void): void {
  try {
    Deno.addSignalListener(signal, listener);
  } catch {
    // Windows knows few signals; there the end of stdin says it all.
  }
}
