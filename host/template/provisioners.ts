// The provisioners of a template, and for which builders each of them runs.

import type { JsonPath } from "../json/json_document.ts";
import { type Diagnostics, Fields } from "../json/fields.ts";
import { describeType, isObject, type JsonObject } from "../json/json_value.ts";

/** A provisioner of a template. */
export interface ProvisionerEntry {
  /** The type of the provisioner. */
  readonly type: string;
  /** The builders for which it runs, by their names before interpolation; empty for all. */
  readonly only: readonly string[];
  /** The builders for which it does not run. */
  readonly except: readonly string[];
  /** By builder name, the keys of its configuration that differ for that builder. */
  readonly override: Readonly<JsonObject>;
  /** How long to wait before it runs, in milliseconds. */
  readonly pauseBefore: number;
  /** How often it is retried, before interpolation; "" when not set. */
  readonly maxRetries: string;
  /** How long it may take, in milliseconds; 0 for no limit. */
  readonly timeout: number;
  /** Its configuration, without the keys that the host reads. */
  readonly config: JsonObject;
  /** Its path in the document. */
  readonly at: JsonPath;
}

const OWN_KEYS = [
  "except",
  "max_retries",
  "only",
  "override",
  "pause_before",
  "timeout",
  "type",
];

/**
 * Reads a template's `provisioners`.
 *
 * @param value The value in the document.
 * @param path The path of the value.
 * @param problems Collects the problems.
 */
export function readProvisioners(
  value: unknown,
  path: JsonPath,
  problems: Diagnostics,
): ProvisionerEntry[] {
  if (value === null) return [];
  if (!Array.isArray(value)) {
    problems.add(
      path,
      `'provisioners': source data must be an array or slice, got ${
        describeType(value)
      }; write a list of provisioners`,
    );
    return [];
  }
  return value.flatMap((raw, index) =>
    readProvisioner(
      raw,
      `provisioner ${index + 1}: `,
      [...path, index],
      problems,
    ) ?? []
  );
}

/**
 * Reads one provisioner.
 *
 * @param raw The value in the document.
 * @param label The beginning of its error messages, for example `"provisioner 1: "`.
 * @param at The path of the value.
 * @param problems Collects the problems.
 */
export function readProvisioner(
  raw: unknown,
  label: string,
  at: JsonPath,
  problems: Diagnostics,
): ProvisionerEntry | undefined {
  if (raw !== null && !isObject(raw)) {
    problems.add(
      at,
      `${label}expected a map, got ${describeType(raw)}; write {"type": "..."}`,
    );
    return undefined;
  }
  const fields = new Fields(raw ?? {}, at, label, "weak", problems);
  const type = fields.string("type");
  if (type === "") {
    problems.add(
      at,
      `${label}Provisioner missing 'type'; name the provisioner, for example "shell-local"`,
    );
  }
  const only = fields.stringList("only");
  const except = fields.stringList("except");
  const override = fields.object("override") ?? {};
  const pauseBefore = fields.duration("pause_before");
  const maxRetries = fields.string("max_retries");
  const timeout = fields.duration("timeout");
  if (
    !type || !only || !except || pauseBefore === undefined ||
    maxRetries === undefined || timeout === undefined
  ) {
    return undefined;
  }
  const config = fields.without(OWN_KEYS);
  return {
    type,
    only,
    except,
    override,
    pauseBefore,
    maxRetries,
    timeout,
    config,
    at,
  };
}
