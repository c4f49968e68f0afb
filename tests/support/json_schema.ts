// A validator for the part of JSON Schema (2020-12) that baler's own schema is written in. A keyword
// that is not supported is an error, so that none is silently ignored.

type Schema = boolean | Readonly<Record<string, unknown>>;
type Part = Readonly<Record<string, unknown>>;

const SAYS_NOTHING = [
  ...["$schema", "$defs", "title", "description", "default", "deprecated"],
  ...["then", "patternProperties", "additionalProperties"],
];

/** Where a value does not keep a schema, each as a path; empty when it does. */
export function violations(
  schema: Schema,
  value: unknown,
  root: Schema = schema,
  path = "$",
): string[] {
  if (typeof schema === "boolean") {
    return schema ? [] : [`${path}: not allowed`];
  }
  const inner = (part: unknown, of: unknown = value, at = path) =>
    violations(part as Schema, of, root, at);
  const object = isObject(value) ? value : undefined;
  const refuse = (isKept: boolean, what: string) =>
    isKept ? [] : [`${path}: ${what}`];
  const found = Object.entries(schema).flatMap(([keyword, says]): string[] => {
    switch (keyword) {
      case "$ref": {
        const [hash, defs, name] = (says as string).split("/");
        const target = ((root as Part)[defs!] as Part)[name!];
        if (hash !== "#" || target === undefined) throw new Error(`${says}`);
        return inner(target);
      }
      case "type":
        return refuse([says].flat().includes(typeOf(value)), `is no ${says}`);
      case "enum":
        return refuse(
          (says as unknown[]).includes(value),
          `is none of ${says}`,
        );
      case "const":
        return refuse(value === says, `is not ${says}`);
      case "pattern":
        return refuse(
          typeof value !== "string" ||
            new RegExp(says as string, "u").test(value),
          `is not like ${says}`,
        );
      case "minLength":
        return refuse(
          typeof value !== "string" || value.length >= (says as number),
          "is too short",
        );
      case "minItems":
        return refuse(
          !Array.isArray(value) || value.length >= (says as number),
          "has too few items",
        );
      case "items":
        return Array.isArray(value)
          ? value.flatMap((item, index) =>
            inner(says, item, `${path}[${index}]`)
          )
          : [];
      case "required":
        return object === undefined
          ? []
          : (says as string[]).flatMap((key) =>
            refuse(Object.hasOwn(object, key), `lacks ${key}`)
          );
      case "properties":
        return Object.entries(says as Part).flatMap(([key, part]) =>
          object !== undefined && Object.hasOwn(object, key)
            ? inner(part, object[key], `${path}.${key}`)
            : []
        );
      case "propertyNames":
        return Object.keys(object ?? {}).flatMap((key) => inner(says, key));
      case "anyOf": {
        const all = (says as unknown[]).map((part) => inner(part));
        return all.some((one) => one.length === 0) ? [] : all.flat();
      }
      case "allOf":
        return (says as unknown[]).flatMap((part) => inner(part));
      case "if":
        return inner(says).length === 0 ? inner(schema.then ?? true) : [];
    }
    if (SAYS_NOTHING.includes(keyword)) return [];
    throw new Error(`a keyword that the test does not know: ${keyword}`);
  });
  const patterns = Object.entries((schema.patternProperties ?? {}) as Part);
  for (const [key, item] of Object.entries(object ?? {})) {
    const matching = patterns.filter(([pattern]) =>
      new RegExp(pattern).test(key)
    );
    found.push(
      ...matching.flatMap(([, part]) => inner(part, item, `${path}.${key}`)),
    );
    const isKnown = Object.hasOwn((schema.properties ?? {}) as Part, key);
    if (isKnown || matching.length > 0) continue;
    found.push(
      ...inner(schema.additionalProperties ?? true, item, `${path}.${key}`),
    );
  }
  return found;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeOf(value) === "object";
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
