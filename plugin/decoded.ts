// Baler's own kinds of component get their configuration decoded: templates
// rendered, options checked, before their own code sees it.

import { decodeConfig, type Options } from "./options.ts";
import type { PrepareOptions } from "./builder.ts";

/** The method of each kind that takes the configuration, and the one that works. */
const METHODS: Record<string, [takesConfig: string, works: string]> = {
  builder: ["prepare", "run"],
  provisioner: ["prepare", "provision"],
  "post-processor": ["configure", "postProcess"],
};

type Component = Record<string, (argument: unknown) => unknown> & {
  options?: Options;
};

/**
 * What the host gets of a component.
 *
 * @param kind The kind of component.
 * @param component The author's.
 * @returns The component itself for a kind that has no configuration.
 */
export function decoded(kind: string, component: object): object {
  if (!Object.hasOwn(METHODS, kind)) return component;
  const [takesConfig, works] = METHODS[kind]!;
  const own = component as Component;
  return new Decoded(own.options, {
    [takesConfig]: async ({ config, build }) =>
      own[takesConfig]!({
        config: await decodeConfig(config, own.options, build),
        build,
      }),
    [works]: (options) => own[works]!(options),
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
