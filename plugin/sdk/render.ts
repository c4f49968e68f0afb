// Rendering: fills in the templates ({{...}}) in a string of a configuration.

import type { BuildContext } from "../contract/build_context.ts";
import { ConfigError } from "../contract/config_error.ts";

/** What a string may refer to, beside the build. */
export interface RenderData {
  /** What `{{.Field}}` reads. */
  fields?: Record<string, unknown>;
  /**
   * What ``{{build `NAME`}}`` reads: what the builder published; `"later"`
   * before it has, which leaves `{{.NAME}}` to be rendered again.
   */
  generated?: Record<string, unknown> | "later";
}

/**
 * Fills in the templates (`{{...}}`) in a string.
 *
 * @param text The string, for example `"{{.Vars}} sh {{.Path}}"`.
 * @param build The build that the component is a part of.
 * @param data What the string may refer to beside the build.
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
  // Most configurations have no template: the engine is loaded when needed.
  const { interpolate } = await import("../interpolate/mod.ts");
  return interpolate(text, {
    userVariables: build.userVariables,
    buildName: build.name,
    buildType: build.type,
    ...(data.generated === "later"
      ? { functions: { build: (name: unknown) => published(name, build) } }
      : { build: data.generated }),
    data: data.fields,
    // As in Packer, a template from the standard input is in the working directory.
    templatePath: build.templatePath ?? `${build.workingDirectory}/-`,
    coreVersion: build.packerVersion,
    initTime: build.startedAt,
    budget: budgets.get(data),
  });
}

/** The steps that the texts of one configuration may take together. */
const budgets = new WeakMap<RenderData, { steps: number }>();

/**
 * A copy of the data with which many texts share the limit of one, so that a
 * configuration of many expensive texts ends in an error soon.
 *
 * @param data What the texts may refer to.
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
 * Fills in the templates in every text of a value, at any depth.
 *
 * @param value A value of JSON.
 * @param build The build that the component is a part of.
 * @param path Where the value stands, for the error.
 * @param data What the texts may refer to beside the build.
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
