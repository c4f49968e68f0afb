// What Packer hands a component as its configuration: a list of maps, in
// another order and form for JSON templates and for HCL2 templates.

import type { BuildContext, OnError } from "../contract/build_context.ts";
import { VERSION } from "../common/version.ts";
import type { Options } from "../contract/options.ts";
import { Float64 } from "./msgpack_writer.ts";
import { ProtocolError } from "../rpc/protocol.ts";
import { isMap, string, strings } from "./values.ts";

/** A configuration as baler's components get it. */
export interface ComponentConfig {
  /** The component's own keys. */
  config: Record<string, unknown>;
  /** The build that it is a part of. */
  build: BuildContext;
}

/** Stands in HCL2 for a string that is not known when the template is read. */
export const UNKNOWN = "<unknown>";

/**
 * What stands for a value that the builder has not published yet. Packer's
 * template function `build` looks for this sentence, to the letter.
 */
const PLACEHOLDER =
  "To set this dynamically in the Packer template, you must use the `build` function";

/** The placeholder that every Packer since 1.5 hands over, by which the map of them is known. */
const PLACEHOLDER_KEY = "PackerRunUUID";

/** The values that every builder publishes. */
export const COMMON_DATA: readonly string[] = [
  "ID",
  "Host",
  "Port",
  "User",
  "Password",
  "ConnType",
  "PackerRunUUID",
  "PackerHTTPPort",
  "PackerHTTPIP",
  "PackerHTTPAddr",
  "SSHPublicKey",
  "SSHPrivateKey",
  "WinRMPassword",
];

const PACKER_KEY = /^packer_/;

/** Packers that do not tell their version are older than 1.7. */
const OLDEST_VERSION = "1.6.6";

const STARTED_AT = new Date();

/**
 * Reads what Packer hands a component.
 *
 * @param configs The list.
 * @param options What the component declares, for values that HCL2 has no type for.
 * @returns The configuration. Of keys that stand in several maps the last counts, as in Packer.
 * @throws {Error} When a value is no map.
 */
export function decodeConfigs(
  configs: unknown,
  options?: Options,
): ComponentConfig {
  const config: Record<string, unknown> = {};
  const packer: Record<string, unknown> = {};
  let generatedData: string[] | undefined;
  for (const item of Array.isArray(configs) ? configs : []) {
    if (item === null || item === undefined) continue;
    const values = item instanceof Uint8Array ? decodeCty(item, options) : item;
    if (!isMap(values)) {
      throw new Error("Packer has sent a configuration that is no object");
    }
    if (isPlaceholders(values)) {
      generatedData = Object.keys(values);
      continue;
    }
    for (const [key, value] of Object.entries(values)) {
      const target = PACKER_KEY.test(key) ? packer : config;
      // A plain assignment of "__proto__" would replace the prototype.
      Object.defineProperty(target, key, {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
  }
  return { config, build: buildOf(packer, generatedData) };
}

function isPlaceholders(values: Record<string, unknown>): boolean {
  const value = values[PLACEHOLDER_KEY];
  return typeof value === "string" &&
    value.includes(`Build_${PLACEHOLDER_KEY}.`);
}

function buildOf(
  packer: Record<string, unknown>,
  generatedData: string[] | undefined,
): BuildContext {
  const version = string(packer.packer_core_version) || OLDEST_VERSION;
  const templatePath = string(packer.packer_template_path);
  const variables = isMap(packer.packer_user_variables)
    ? Object.entries(packer.packer_user_variables)
    : [];
  return {
    name: string(packer.packer_build_name),
    type: string(packer.packer_builder_type),
    ...(templatePath === "" ? {} : { templatePath }),
    workingDirectory: workingDirectory(),
    userVariables: Object.fromEntries(
      // Some versions hand over one without a name.
      variables.filter(([name]) => name !== "")
        .map(([name, value]) => [name, string(value)]),
    ),
    sensitiveVariables: strings(packer.packer_sensitive_variables)
      .filter((value) => value !== ""),
    debug: isTrue(packer.packer_debug),
    force: isTrue(packer.packer_force),
    onError: (string(packer.packer_on_error) || "cleanup") as OnError,
    coreVersion: VERSION,
    packerVersion: version,
    ...(generatedData === undefined ? {} : { generatedData }),
    startedAt: STARTED_AT,
  };
}

/** HCL2 has some booleans as strings. */
function isTrue(value: unknown): boolean {
  return value === true || value === "true";
}

function workingDirectory(): string {
  try {
    return Deno.cwd();
  } catch {
    // Without the permission to read there are no paths to resolve either.
    return ".";
  }
}

/** A configuration of HCL2: a cty value in JSON, with its type beside it. */
function decodeCty(
  bytes: Uint8Array,
  options: Options | undefined,
): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new ProtocolError(
      "Packer has sent an HCL2 value that is no JSON",
      {
        cause: error,
      },
    );
  }
  const value = isMap(json) ? json.value : undefined;
  if (!isMap(value)) {
    throw new ProtocolError(
      "Packer has sent an HCL2 value that is no object",
    );
  }
  const config = withoutNulls(value) as Record<string, unknown>;
  asDeclared(config, options ?? {});
  return config;
}

/** Reads the JSON in strings where HCL2 has no type, and drops lists of no blocks, which no template has. */
function asDeclared(config: Record<string, unknown>, options: Options): void {
  for (const [name, option] of Object.entries(options)) {
    const isNested = "options" in option;
    const value = config[name];
    if (typeof value === "string" && (isNested || option.type === "any")) {
      config[name] = jsonOr(value);
    } else if (isNested && Array.isArray(value) && value.length === 0) {
      delete config[name];
    } else if (isNested) {
      for (const item of Array.isArray(value) ? value : [value]) {
        if (isMap(item)) asDeclared(item, option.options);
      }
    }
  }
}

/** Every attribute is there in HCL2, null where the template does not set it. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => item !== null)
      .map(([key, item]) => [key, withoutNulls(item)]),
  );
}

/** The JSON in a string, or the string where it is none. */
function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Whether a value has a part that is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (typeof value === "string") return value.includes(UNKNOWN);
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isMap(value) && Object.values(value).some(hasUnknown);
}

/**
 * Writes a configuration as Packer does for JSON templates.
 *
 * @param kind `builder`, or another kind, which gets placeholders, too.
 */
export function encodeConfigs(
  kind: "builder" | "provisioner" | "post-processor",
  { config, build }: ComponentConfig,
): unknown[] {
  const packer = {
    packer_build_name: build.name,
    packer_builder_type: build.type,
    packer_core_version: build.packerVersion,
    packer_debug: build.debug,
    packer_force: build.force,
    packer_on_error: build.onError === "cleanup" ? "" : build.onError,
    packer_template_path: build.templatePath ?? "",
    packer_user_variables: build.userVariables,
    packer_sensitive_variables: build.sensitiveVariables,
  };
  const configs = [withFloats(config), packer];
  return kind === "builder"
    ? configs
    : [...configs, placeholders(build.generatedData)];
}

/** Numbers of JSON are floats in Go. */
function withFloats(value: unknown): unknown {
  if (typeof value === "number") return new Float64(value);
  if (Array.isArray(value)) return value.map(withFloats);
  if (!isMap(value)) return value;
  return new Map(
    Object.entries(value).map(([key, item]) => [key, withFloats(item)]),
  );
}

/** What stands for the values that the builder publishes, in what it does not know yet. */
function placeholders(
  own: readonly string[] = [],
): Record<string, string> {
  return Object.fromEntries(
    [...COMMON_DATA, ...own].map((name) => [
      name,
      name === "WinRMPassword"
        ? "{{.WinRMPassword}}"
        : `Build_${name}. ${PLACEHOLDER}`,
    ]),
  );
}
