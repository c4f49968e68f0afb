// Adapts an author's component for the host: decodes its configuration first, and
// makes its calls after the host's death not fail.

import type { PrepareOptions } from "../contract/builder.ts";
import {
  ConfigError,
  type ConfigProblem,
  UNKNOWN_KEY,
} from "../contract/config_error.ts";
import type { Options } from "../contract/options.ts";
import { checkOptions } from "./check_options.ts";
import { decode } from "./decode_config.ts";
import { tolerateHostExit } from "./host_exit.ts";
import type { RenderData } from "./render.ts";

/** The methods of a kind of component that the host calls. */
interface KindMethods {
  /** The method that gets the configuration. */
  configure?: string;
  /** The method that runs the component. */
  work: string;
  /** The fields that the host reads. */
  fields: readonly string[];
}

const KINDS: Record<string, KindMethods> = {
  builder: { configure: "prepare", work: "run", fields: ["options"] },
  provisioner: {
    configure: "prepare",
    work: "provision",
    fields: ["options"],
  },
  "post-processor": {
    configure: "configure",
    work: "postProcess",
    fields: ["options"],
  },
  command: { work: "run", fields: ["synopsis", "help"] },
  hook: { work: "run", fields: [] },
};

type Component = Record<string, unknown> & { options?: Options };
type Method = (argument: unknown) => unknown;

/** The methods of one of baler's own kinds; undefined for any other kind. */
function methodsOf(kind: string): KindMethods | undefined {
  return Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
}

/**
 * Whether a kind of component keeps a configuration, so that an instance of it
 * serves one build.
 *
 * @param kind The kind of component.
 */
export function isConfigurable(kind: string): boolean {
  return methodsOf(kind)?.configure !== undefined;
}

/**
 * Creates the object that the host gets for a component.
 *
 * @param kind The kind of component.
 * @param component The author's component.
 * @param rawConfig True to pass the configuration without decoding it.
 * @returns The component itself for a kind that is not one of baler's own.
 * @throws {TypeError} When a method is missing, or `options` is not a valid declaration.
 */
export function adaptComponent(
  kind: string,
  component: object,
  rawConfig = false,
): object {
  const methods = methodsOf(kind);
  if (methods === undefined) return component;
  const { configure, work, fields } = methods;
  const own = component as Component;
  const call = (method: string, argument: unknown) =>
    (own[method] as Method)(argument);
  for (const method of [configure, work]) {
    if (method !== undefined && typeof own[method] !== "function") {
      throw new TypeError(`the plugin's ${kind} has no method ${method}()`);
    }
  }
  const adapted: Record<string, unknown> = {
    [work](options: unknown) {
      tolerateHostExit(options);
      return call(work, options);
    },
  };
  for (const field of fields) adapted[field] = own[field];
  if (configure !== undefined && rawConfig) {
    adapted[configure] = (options: PrepareOptions) => call(configure, options);
  } else if (configure !== undefined) {
    const { options } = own;
    if (options !== undefined) checkOptions(options);
    // A builder publishes its data while it runs, after all components are prepared.
    const data: RenderData = kind === "builder"
      ? {}
      : { generated: "later", fields: LATER_FIELDS };
    adapted[configure] = async ({ config, build }: PrepareOptions) => {
      const { decoded, problems } = await decode(config, options, build, data);
      if (problems.some(({ code }) => code !== UNKNOWN_KEY)) {
        throw new ConfigError(problems);
      }
      // Unknown keys do not hide the problems that the component finds itself.
      const result = await failingWith(
        problems,
        async () => await call(configure, { config: decoded, build }),
      );
      if (problems.length > 0) throw new ConfigError(problems);
      return result;
    };
  }
  return new AdaptedComponent(adapted);
}

/** The password of a new machine, for which Packer also keeps this placeholder. */
const LATER_FIELDS = { WinRMPassword: "{{.WinRMPassword}}" };

/** Adds problems that were found before to the error of `work`. */
async function failingWith(
  problems: readonly ConfigProblem[],
  work: () => Promise<unknown>,
): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (problems.length === 0) throw error;
    throw new ConfigError([
      ...problems,
      ...error instanceof ConfigError ? error.problems : [{
        path: [],
        message: String((error as Error | undefined)?.message ?? error),
      }],
    ]);
  }
}

/** A component as the host gets it. */
class AdaptedComponent {
  constructor(members: Record<string, unknown>) {
    Object.assign(this, members);
  }
}
