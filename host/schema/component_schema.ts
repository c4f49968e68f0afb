// The parts of a template that are components, in the words of JSON Schema.
// What the bundled ones take is read from the options that they declare.

import type { Options } from "../../plugin/contract/options.ts";
import { optionsSchema } from "../../plugin/sdk/options_schema.ts";
import {
  duration,
  type Schema,
  TEXT,
  textList,
  WEAK_TEXT,
} from "../../plugin/sdk/schema_values.ts";

/** What a provisioner can have beside its own options. */
const PROVISIONER_KEYS: Record<string, Schema> = {
  only: {
    ...textList("weak"),
    description:
      "The builds that it is for, by their names; others go without.",
  },
  except: {
    ...textList("weak"),
    description: "The builds that it is not for, by their names.",
  },
  override: {
    type: ["object", "null"],
    additionalProperties: { type: ["object", "null"] },
    description: "By build name, the options that it has otherwise there.",
  },
  pause_before: {
    ...duration({ weak: true }),
    description: "How long to wait before it.",
  },
  max_retries: {
    ...WEAK_TEXT,
    description: "How often it is tried again when it fails.",
  },
  timeout: {
    ...duration({ weak: true }),
    description: "How long it may take before it is ended as failed.",
  },
};

/** What a post-processor can have beside its own options. */
const POST_PROCESSOR_KEYS: Record<string, Schema> = {
  name: {
    ...TEXT,
    description: "Its name for -except; the type unless given.",
  },
  only: {
    ...textList("strict"),
    description:
      "The builds that it is for, by their names; others go without.",
  },
  except: {
    ...textList("strict"),
    description: "The builds that it is not for, by their names.",
  },
  keep_input_artifact: {
    type: ["boolean", "null"],
    description: "Whether the artifact that goes into it stays.",
  },
};

const BUILDER_KEYS: Record<string, Schema> = {
  name: {
    ...WEAK_TEXT,
    description: "The build's name; the type unless given.",
  },
};

/** What a component can have beside its own options, by its kind. */
const KEYS: Readonly<Record<string, Record<string, Schema>>> = {
  builder: BUILDER_KEYS,
  provisioner: PROVISIONER_KEYS,
  "post-processor": POST_PROCESSOR_KEYS,
};

/** A component and the options that it declares; undefined to accept every key. */
export interface DeclaredComponent {
  /** The kind of component. */
  readonly kind: string;
  /** The `type` that a template names it by. */
  readonly name: string;
  /** Its options. */
  readonly options: Options | undefined;
}

/**
 * The definitions of one kind of component.
 *
 * @param kind The kind, which is the name of the first definition.
 * @param components The components whose options are known, of any kind.
 * @returns By name, that of any component of the kind, and of each one whose
 * options are known.
 */
export function componentSchemas(
  kind: string,
  components: readonly DeclaredComponent[],
): Record<string, Schema> {
  const keys = KEYS[kind] ?? {};
  const known = components.filter((component) => component.kind === kind);
  const names = known.map(({ name }) => name);
  const definitions = known.map(({ name, options }) =>
    [
      `${kind}-${name}`,
      optionsSchema(options, { type: true, ...keys }),
    ] as const
  );
  const type = { anyOf: [{ enum: names }, { type: "string", minLength: 1 }] };
  const object: Schema = {
    type: "object",
    required: ["type"],
    properties: {
      type: {
        description: `Which ${kind} it is: one of baler's, or a plugin's.`,
        ...type,
      },
      ...keys,
    },
    allOf: names.map((name) => ({
      if: { required: ["type"], properties: { type: { const: name } } },
      then: { $ref: reference(kind, name) },
    })),
  };
  const whole = kind === "post-processor" ? { anyOf: [object, type] } : object;
  return { [kind]: whole, ...Object.fromEntries(definitions) };
}

/**
 * Returns the reference to the definition of a component.
 *
 * @param kind The kind of component.
 * @param name The `type` that a template names it by.
 */
export function reference(kind: string, name: string): string {
  const pointer = `${kind}-${name}`.replaceAll("~", "~0").replaceAll("/", "~1");
  return `#/$defs/${encodeURIComponent(pointer)}`;
}
