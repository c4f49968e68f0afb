// Rendering: fills in the templates ({{...}}) in a string of a configuration.

import type { BuildContext } from "../contract/build_context.ts";
import { ConfigError } from "../contract/config_error.ts";

/** The data that a string can use, besides the build. */
export interface RenderData {
  /** The values of `{{.Field}}`. */
  fields?: Record<string, unknown>;
  /**
   * The values of ``{{build `NAME`}}``: the data that the builder has published;
   * `"later"` before that, which leaves `{{.NAME}}` to be rendered again.
   */
  generated?: Record<string, unknown> | "later";
}

/**
 * Fills in the templates (`{{...}}`) in a string.
 *
 * @param text The string, for example `"{{.Vars}} sh {{.Path}}"`.
 * @param build The build that the component is a part of.
 * @param data The data that the string can use besides the build.
 * @returns The string with its templates filled in.
 * @throws {Error} With line and column, when a template in it is not valid.
 *
 * @example
 * ```ts
 * import { type BuildContext, render } from "@baler/baler";
 *
 * export function commandLine(build: BuildContext, script: string) {
 *   return render("sh {{.Path}}", build, { fields: { Path: script } });
 * }
 * ```
 */
export async function render(
  text: string,
  build: BuildContext,
  data: RenderData = {},
): Promise<string> {
  if (!text.includes("{{")) return text;
  // Most configurations contain no template: the engine is loaded on demand.
  const { interpolate } = await import("../interpolate/mod.ts");
  return interpolate(text, {
    userVariables: build.userVariables,
    buildName: build.name,
    buildType: build.type,
    ...(data.generated === "later"
      ? { functions: { build: (name: unknown) => published(name, build) } }
      : { build: data.generated }),
    data: data.fields,
    // As in Packer, a template from stdin is in the working directory.
    templatePath: build.templatePath ?? `${build.workingDirectory}/-`,
    coreVersion: build.packerVersion,
    initTime: build.startedAt,
    budget: budgets.get(data),
  });
}

/** The budgets that the strings of one configuration share. */
const budgets = new WeakMap<RenderData, { steps: number }>();

/**
 * Returns a copy of the data with which many strings share the budget of one, so
 * that a configuration of many expensive strings fails soon.
 *
 * @param data The data that the strings can use.
 */
export function withSharedLimit(data: RenderData): RenderData {
  const copy = { ...data };
  budgets.set(copy, { steps: 0 });
  return copy;
}

/** The names that every builder may publish, as in Packer. */
const ALWAYS = [
  "ConnType",
  "Host",
  "ID",
  "PackerHTTPAddr",
  "PackerHTTPIP",
  "PackerHTTPPort",
  "PackerRunUUID",
  "Password",
  "Port",
  "SSHPrivateKey",
  "SSHPublicKey",
  "User",
  "WinRMPassword",
];

/** Returns the placeholder of a value that the builder publishes when it runs. */
function published(name: unknown, build: BuildContext): string {
  const own = build.generatedData;
  if (
    own !== undefined && !ALWAYS.includes(String(name)) &&
    !own.includes(String(name))
  ) {
    throw new Error(
      `loaded data, but could not find ${name} in it; the builder offers ${
        [...new Set([...ALWAYS, ...own])].sort().join(", ")
      }`,
    );
  }
  return `{{.${name}}}`;
}

/**
 * Fills in the templates in every string of a value, at any depth.
 *
 * @param value A JSON value.
 * @param build The build that the component is a part of.
 * @param path The path of the value, for the error.
 * @param data The data that the strings can use besides the build.
 * @returns The value with its templates filled in.
 * @throws {ConfigError} When a template in it is not valid.
 */
export async function renderAll(
  value: unknown,
  build: BuildContext,
  path: (string | number)[],
  data: RenderData = {},
): Promise<unknown> {
  if (typeof value === "string") {
    try {
      return await render(value, build, data);
    } catch (error) {
      throw new ConfigError([{
        path,
        message: `"${path.join(".")}": ${(error as Error).message}`,
      }]);
    }
  }
  if (Array.isArray(value)) {
    return await Promise.all(
      value.map((item, index) =>
        renderAll(item, build, [...path, index], data)
      ),
    );
  }
  if (typeof value === "object" && value !== null) {
    const entries = await Promise.all(
      Object.entries(value).map(async ([key, item]) =>
        [key, await renderAll(item, build, [...path, key], data)] as const
      ),
    );
    return Object.fromEntries(entries);
  }
  return value;
}
