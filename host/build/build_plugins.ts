// The plugins of one build. Each is launched once, however many of the build's
// components it serves, and is shut down at the end of the build.

import { ONE_INSTANCE_CODE } from "../../plugin/rpc/message.ts";
import type { FoundPlugin } from "../discovery/find_plugin.ts";
import { LabelledLog } from "../log/labelled_log.ts";
import { type Log, NO_LOG } from "../log/log.ts";
import { launch } from "../plugin/launch.ts";
import type { LaunchOptions } from "../plugin/launch_options.ts";
import type { Plugin } from "../plugin/plugin.ts";
import type { PluginError } from "../plugin/plugin_error.ts";
import { InFlightCalls } from "./in_flight_calls.ts";

/** After how long the user is told which plugin has not started yet, in milliseconds. */
const SLOW_START_MS = 5_000;

/** A process that has been started, or is being started. */
interface LaunchedProcess {
  readonly command: string;
  readonly plugin: Promise<Plugin>;
  readonly inFlight: InFlightCalls;
  readonly log: Log | undefined;
}

/** The plugins of one build. */
export class BuildPlugins implements AsyncDisposable {
  readonly #options: LaunchOptions;
  readonly #onSlow: (plugin: string) => void;
  readonly #launches: LaunchedProcess[] = [];
  readonly #running: Plugin[] = [];
  readonly #bundled: BuildPlugins | undefined;

  /**
   * @param options How each plugin is launched.
   * @param onSlow Called when a plugin has not started after SLOW_START_MS.
   * @param bundled Creates the bundled components, if this build does not have a
   * process of its own for them.
   */
  constructor(
    options: LaunchOptions,
    onSlow: (plugin: string) => void,
    bundled?: BuildPlugins,
  ) {
    this.#options = options;
    this.#onSlow = onSlow;
    this.#bundled = bundled;
  }

  /** The plugins that have started. */
  get running(): readonly Plugin[] {
    return this.#running;
  }

  /**
   * Creates a component.
   *
   * @param kind The kind of component.
   * @param found The plugin that serves it.
   * @returns The component, whose methods run in the plugin's process.
   * @throws {PluginError} When the plugin cannot be launched, or serves no such
   * component.
   */
  async component<T extends object>(
    kind: string,
    found: FoundPlugin,
  ): Promise<T> {
    if (
      found.process !== undefined && !found.isPackers &&
      this.#bundled !== undefined
    ) {
      return await this.#bundled.component(kind, found);
    }
    const command = JSON.stringify(found.argv);
    const launched = this.#launches.find((one) => one.command === command);
    if (launched === undefined) return await this.#inNewProcess(kind, found);
    try {
      return await this.#create(kind, found, launched);
    } catch (error) {
      // The plugin serves only one instance, which is in use.
      if ((error as { code?: unknown })?.code !== ONE_INSTANCE_CODE) {
        throw error;
      }
      return await this.#inNewProcess(kind, found);
    }
  }

  async #inNewProcess<T extends object>(
    kind: string,
    found: FoundPlugin,
  ): Promise<T> {
    const name = found.process ?? found.label;
    const inFlight = new InFlightCalls();
    const log = found.isPackers
      ? new LabelledLog(this.#options.log ?? NO_LOG)
      : this.#options.log;
    const plugin = launch(found.argv, {
      ...this.#options,
      ...(log === undefined ? {} : { log }),
      name,
      activity: () => inFlight.describe,
    });
    const command = JSON.stringify(found.argv);
    const launched = { command, plugin, inFlight, log };
    this.#launches.push(launched);
    const timer = setTimeout(() => this.#onSlow(name), SLOW_START_MS);
    plugin.then((started) => this.#running.push(started), () => {})
      .finally(() => clearTimeout(timer));
    return await this.#create(kind, found, launched);
  }

  async #create<T extends object>(
    kind: string,
    found: FoundPlugin,
    { plugin, inFlight, log }: LaunchedProcess,
  ): Promise<T> {
    if (log instanceof LabelledLog) log.add(found.label);
    const component = await (await plugin).create<T>(
      kind,
      found.request ?? found.name,
    );
    if (found.process === undefined) return component;
    // The process has another name: log which component it serves.
    this.#options.log?.write(found.label, [
      `Plugin started in ${found.process}`,
    ]);
    return inFlight.track(component, found.label);
  }

  /**
   * Shuts all plugins down.
   *
   * @returns The errors of plugins that did not shut down cleanly.
   */
  async close(): Promise<PluginError[]> {
    const errors = await Promise.all(this.#launches.map(async (launched) => {
      try {
        return await (await launched.plugin).close();
      } catch {
        // It has not started; the caller that created a component has the error.
      }
    }));
    return errors.filter((error) => error !== undefined);
  }

  /** Shuts all plugins down. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
