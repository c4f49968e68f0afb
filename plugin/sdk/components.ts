// The components that a plugin serves, as its author declares them.

import type { Builder } from "../contract/builder.ts";
import type { Command } from "../contract/command.ts";
import type { Hook } from "../contract/hook.ts";
import type { PostProcessor } from "../contract/post_processor.ts";
import type { Provisioner } from "../contract/provisioner.ts";

/**
 * One component of a plugin: its class, a function that creates it, or an
 * instance.
 *
 * With a class or a function, each build gets an instance of its own in the same
 * process. With an instance, each build gets a process of its own. A function gets
 * the name that a template uses, and may be asynchronous, for example to import the
 * component's module: a plugin with many components then starts faster.
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
  | ((name: string) => T | Promise<T>);

/**
 * The components of a plugin, by kind, then by name. baler's own kinds are
 * `builder`, `provisioner`, `post-processor`, `command` and `hook`. A program
 * that launches plugins itself can define others.
 */
export interface Components {
  /** Components that create artifacts. */
  builder?: Record<string, ComponentSource<Builder<never>>>;
  /** Components that configure a machine while it is being built. */
  provisioner?: Record<string, ComponentSource<Provisioner<never>>>;
  /** Components that process an artifact. */
  "post-processor"?: Record<string, ComponentSource<PostProcessor<never>>>;
  /** Components that add a command to `baler`. */
  command?: Record<string, ComponentSource<Command>>;
  /** Components that are called at a certain point of a build. */
  hook?: Record<string, ComponentSource<Hook>>;
  /** Components of a kind that another program defines. */
  [kind: string]: Record<string, ComponentSource> | undefined;
}

/**
 * Creates a component, or returns the existing instance.
 *
 * @param source The component's class, a function that creates it, or an instance.
 * @param name The name that a template uses for it.
 */
export async function instanceOf(
  source: ComponentSource,
  name: string,
): Promise<object> {
  if (typeof source !== "function") return source;
  // The prototype of a class cannot be replaced; that of a function can.
  const isClass =
    Object.getOwnPropertyDescriptor(source, "prototype")?.writable === false;
  return isClass
    ? new (source as new () => object)()
    : await (source as (name: string) => object | Promise<object>)(name);
}
