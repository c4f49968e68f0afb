// The plugins of one build: each launched once, however many of the build's
// components it serves, and all of them ended with the build.

import type { FoundPlugin } from "../discovery/find_plugin.ts";
import { launch } from "../plugin/launch.ts";
import type { LaunchOptions } from "../plugin/launch_options.ts";
import type { Plugin } from "../plugin/plugin.ts";
import { PluginError } from "../plugin/plugin_error.ts";
import { InFlightCalls } from "./in_flight_calls.ts";

/** When a person wants to know what there is to wait for, in milliseconds. */
const SLOW = 5_000;

/** A process that was started, or is about to be. */
interface Launched {
  readonly command: string;
  readonly plugin: Promise<Plugin>;
  readonly underWay: InFlightCalls;
}

/** The plugins of one build. */
export class BuildPlugins implements AsyncDisposable {
  readonly #options: LaunchOptions;
  readonly #onSlow: (plugin: string) => void;
  readonly #launches: Launched[] = [];
  readonly #bundled: BuildPlugins | undefined;

  /**
   * @param options How each of them is launched.
   * @param onSlow Told when one takes long to say hello.
   * @param bundled Makes the components that come with baler, where they are not
   * to have a process of this build's own.
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

  /**
   * Makes a component.
   *
   * @param kind The kind of component.
   * @param found The plugin that serves it.
   * @returns The component, living in the plugin's process.
   * @throws {PluginError} When the plugin cannot be launched, or serves no such component.
   */
  async component<T extends object>(
    kind: string,
    found: FoundPlugin,
  ): Promise<T> {
    if (found.process !== undefined && this.#bundled !== undefined) {
      return await this.#bundled.component(kind, found);
    }
    const command = JSON.stringify(found.argv);
    const running = this.#launches.find((one) => one.command === command);
    if (running === undefined) return await this.#inNewProcess(kind, found);
    try {
      return await this.#create(kind, found, running);
    } catch (error) {
      // It serves one instance, and that one is taken.
      if ((error as { code?: unknown })?.code !== "E_ONE_INSTANCE") throw error;
      return await this.#inNewProcess(kind, found);
    }
  }

  async #inNewProcess<T extends object>(
    kind: string,
    found: FoundPlugin,
  ): Promise<T> {
    const name = found.process ?? found.label;
    const underWay = new InFlightCalls();
    const plugin = launch(found.argv, {
      ...this.#options,
      name,
      doing: () => underWay.describe,
    });
    const launched = { command: JSON.stringify(found.argv), plugin, underWay };
    this.#launches.push(launched);
    const slow = setTimeout(() => this.#onSlow(name), SLOW);
    const settled = () => clearTimeout(slow);
    plugin.then(settled, settled);
    return await this.#create(kind, found, launched);
  }

  async #create<T extends object>(
    kind: string,
    found: FoundPlugin,
    { plugin, underWay }: Launched,
  ): Promise<T> {
    const component = await (await plugin).create<T>(kind, found.name);
    if (found.process === undefined) return component;
    // The process has a name of its own: the log says what it was used for.
    this.#options.log?.write(found.label, [
      `Plugin started in ${found.process}`,
    ]);
    return underWay.track(component, found.label);
  }

  /**
   * Ends them all.
   *
   * @returns What went wrong with the end of those that went wrong.
   */
  close(): Promise<PluginError[]> {
    return this.#closeAll((plugin) => plugin.close());
  }

  /** Ends them all. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Ends them all at once, since their build was cancelled and does not end.
   *
   * @param waited How long they were given, in milliseconds.
   */
  async giveUp(waited: number): Promise<void> {
    await this.#closeAll((plugin) => {
      const what = `has not ended within ${waited / 1000} s of being cancelled`;
      const error = new PluginError(plugin.name, what, plugin.lastLines);
      // It has had its time to clean up.
      return plugin.close(error, 0);
    });
  }

  async #closeAll(
    close: (plugin: Plugin) => Promise<PluginError | undefined>,
  ): Promise<PluginError[]> {
    const errors = await Promise.all(this.#launches.map(async (launch) => {
      try {
        return await close(await launch.plugin);
      } catch {
        // It never started; whoever asked for it was told.
      }
    }));
    return errors.filter((error) => error !== undefined);
  }
}
