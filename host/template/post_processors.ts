// The post-processors of a template: sequences, each of which starts from the
// builder's artifact.

import type { JsonPath } from "../json/json_document.ts";
import { type Diagnostics, Fields } from "../json/fields.ts";
import { describeType, isObject, type JsonObject } from "../json/json_value.ts";

/** A post-processor of a template. */
export interface PostProcessorEntry {
  /** Its name: the `name`, or else the `type`. */
  readonly name: string;
  /** The type of the post-processor. */
  readonly type: string;
  /** The builders for which it runs, by their names before interpolation; empty for all. */
  readonly only: readonly string[];
  /** The builders for which it does not run. */
  readonly except: readonly string[];
  /** Whether its input artifact is kept; the post-processor's own choice when absent. */
  readonly keepInputArtifact?: boolean;
  /** Its configuration, without the keys that the host reads. */
  readonly config: JsonObject;
  /** Its path in the document. */
  readonly at: JsonPath;
}

const OWN_KEYS = ["except", "keep_input_artifact", "name", "only", "type"];

/**
 * Reads a template's `post-processors`.
 *
 * @param value The value in the document.
 * @param path The path of the value.
 * @param problems Collects the problems.
 * @returns The sequences; a single post-processor is a sequence of one.
 */
export function readPostProcessors(
  value: unknown,
  path: JsonPath,
  problems: Diagnostics,
): PostProcessorEntry[][] {
  if (value === null) return [];
  if (!Array.isArray(value)) {
    problems.add(
      path,
      `'post-processors': source data must be an array or slice, got ${
        describeType(value)
      }; write a list of post-processors`,
    );
    return [];
  }
  return value.flatMap((raw, index): PostProcessorEntry[][] => {
    const at = [...path, index];
    const label = `post-processor ${index + 1}`;
    if (Array.isArray(raw)) {
      return [
        raw.flatMap((one, step) =>
          readOne(one, `${label}.${step + 1}: `, [...at, step], problems) ?? []
        ),
      ];
    }
    if (typeof raw !== "string" && !isObject(raw)) {
      problems.add(
        at,
        `${label}: bad format; a post-processor is a string, an object or a list of these, not ${
          describeType(raw)
        }`,
      );
      return [];
    }
    const entry = readOne(raw, `${label}.1: `, at, problems);
    return entry === undefined ? [] : [[entry]];
  });
}

function readOne(
  raw: unknown,
  label: string,
  at: JsonPath,
  problems: Diagnostics,
): PostProcessorEntry | undefined {
  if (Array.isArray(raw)) {
    problems.add(
      at,
      `${label}sequence not allowed to be nested in a sequence; move it out of the list around it`,
    );
    return undefined;
  }
  if (typeof raw !== "string" && !isObject(raw)) {
    problems.add(
      at,
      `${label}unknown format; a post-processor is a string or an object, not ${
        describeType(raw)
      }`,
    );
    return undefined;
  }
  const object = typeof raw === "string" ? { type: raw } : raw;
  const fields = new Fields(object, at, label, "strict", problems);
  const before = problems.count;
  const type = fields.string("type");
  const name = fields.string("name");
  const only = fields.stringList("only");
  const except = fields.stringList("except");
  const keep = fields.boolean("keep_input_artifact");
  if (type === "") {
    problems.add(
      at,
      `${label}type is required; name the post-processor, for example "manifest"`,
    );
  }
  if (
    !type || name === undefined || !only || !except || problems.count > before
  ) {
    return undefined;
  }
  return {
    name: name || type,
    type,
    only,
    except,
    ...(keep === undefined ? {} : { keepInputArtifact: keep }),
    config: fields.without(OWN_KEYS),
    at,
  };
}
