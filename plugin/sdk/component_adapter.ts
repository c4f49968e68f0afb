// Baler's own kinds of component get their configuration decoded: templates
// rendered, options checked, before their own code sees it.

import type { Options } from "../contract/options.ts";
import { checkOptions, decodeConfig } from "./decode_config.ts";
import type { PrepareOptions } from "../contract/builder.ts";
import type { RenderData } from "./render.ts";

/** The method of each kind that takes the configuration, and the one that works. */
const METHODS: Record<string, [take: string, work: string]> = {
  builder: ["prepare", "run"],
  provisioner: ["prepare", "provision"],
  "post-processor": ["configure", "postProcess"],
};

type Component = Record<string, (argument: unknown) => unknown> & {
  options?: Options;
};

/** Whether a kind of component takes a configuration, and keeps it. */
export function isConfigurable(kind: string): boolean {
  return Object.hasOwn(METHODS, kind);
}

/**
 * What the host gets of a component.
 *
 * @param kind The kind of component.
 * @param component The author's.
 * @returns The component itself for a kind that has no configuration.
 * @throws {TypeError} When it is not what its interface promises.
 */
export function adaptComponent(kind: string, component: object): object {
  if (!isConfigurable(kind)) return component;
  const [take, work] = METHODS[kind]!;
  const own = component as Component;
  for (const method of [take, work]) {
    if (typeof own[method] !== "function") {
      throw new TypeError(`the plugin's ${kind} has no method ${method}()`);
    }
  }
  if (own.options !== undefined) checkOptions(own.options);
  // What a builder publishes is known to those that come after it, once it runs.
  const data: RenderData = kind === "builder" ? {} : { generated: "later" };
  return new Decoded(own.options, {
    [take]: async ({ config, build }) =>
      own[take]!({
        config: await decodeConfig(config, own.options, build, data),
        build,
      }),
    [work]: (options) => own[work]!(options),
  });
}

/** A component as the host gets it. */
class Decoded {
  constructor(
    readonly options: Options | undefined,
    methods: Record<string, (argument: PrepareOptions) => unknown>,
  ) {
    Object.assign(this, methods);
  }
}
