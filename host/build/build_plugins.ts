// The plugins of one build. Each is launched once, however many of the build's
// components it serves, and all of them end with the build.

import { ONE_INSTANCE_CODE } from "../../plugin/rpc/message.ts";
import type { FoundPlugin } from "../discovery/find_plugin.ts";
import { LabelledLog } from "../log/labelled_log.ts";
import { type Log, NO_LOG } from "../log/log.ts";
import { launch } from "../plugin/launch.ts";
import type { LaunchOptions } from "../plugin/launch_options.ts";
import type { Plugin } from "../plugin/plugin.ts";
import type { PluginError } from "../plugin/plugin_error.ts";
import { InFlightCalls } from "./in_flight_calls.ts";

/** After how long the person is told which plugin has not started yet, in milliseconds. */
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
   * @param options How each of them is launched.
   * @param onSlow Called when one has not started after 5 s.
   * @param bundled Makes the bundled components, where they have no process of
   * this build's own.
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
   * Makes a component.
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
      // The plugin serves one instance, which is in use.
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
    // The process has another name: the log tells which component it serves.
    this.#options.log?.write(found.label, [
      `Plugin started in ${found.process}`,
    ]);
    return inFlight.track(component, found.label);
  }

  /**
   * Ends all of them.
   *
   * @returns The errors of those that did not end well.
   */
  async close(): Promise<PluginError[]> {
    const errors = await Promise.all(this.#launches.map(async (launched) => {
      try {
        return await (await launched.plugin).close();
      } catch {
        // It has never started; the caller that needed it has the error.
      }
    }));
    return errors.filter((error) => error !== undefined);
  }

  /** Ends all of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
