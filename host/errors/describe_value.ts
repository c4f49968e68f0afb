// A value that a plugin sent, as text for an error: of bounded length, and at a
// bounded cost. A small message can hold objects that are in many places, so
// that the text of all of it has no end.

/** How many values are shown, how deep, and how much of each string, in characters. */
const MAX_VALUES = 100;
const MAX_DEPTH = 4;
const MAX_STRING_LENGTH = 1000;

/** How much is shown in all, in characters. */
const MAX_LENGTH = 4000;

/**
 * Describes a value for people.
 *
 * @param value The value.
 * @param maxLength How long the text may be, in characters.
 */
export function describeForeignValue(
  value: unknown,
  maxLength = MAX_LENGTH,
): string {
  const text = Deno.inspect(new Excerpt().of(value, 0), {
    breakLength: Infinity,
    depth: MAX_DEPTH,
    strAbbreviateSize: MAX_STRING_LENGTH,
  });
  return text.length > maxLength ? `${text.slice(0, maxLength)}...` : text;
}

/** Copies the beginning of a value. */
class Excerpt {
  #left = MAX_VALUES;

  of(value: unknown, depth: number): unknown {
    this.#left--;
    if (typeof value === "string") {
      return value.length > MAX_STRING_LENGTH
        ? `${value.slice(0, MAX_STRING_LENGTH)}...`
        : value;
    }
    if (typeof value === "bigint") return shortened(value);
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof Error) {
      return new NamedText(
        `[${this.of(value.name, depth)}: ${this.of(value.message, depth)}]`,
      );
    }
    if (Array.isArray(value)) {
      return depth > MAX_DEPTH ? [] : this.#some(value, value.length, depth);
    }
    if (value instanceof Set) {
      return new Set(this.#some(value, value.size, depth));
    }
    if (value instanceof Map) {
      return new Map(
        this.#some(value, value.size, depth) as [unknown, unknown][],
      );
    }
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
      return new NamedText(
        `${value.constructor.name}(${value.byteLength} bytes)`,
      );
    }
    if (
      value instanceof Date || value instanceof RegExp || value instanceof URL
    ) return new NamedText(String(value).slice(0, MAX_STRING_LENGTH));
    return this.#fields(value as Record<string, unknown>, depth);
  }

  #some(items: Iterable<unknown>, size: number, depth: number): unknown[] {
    const some: unknown[] = [];
    for (const item of items) {
      if (this.#left <= 0) {
        some.push(new NamedText(`... ${size - some.length} more`));
        break;
      }
      some.push(this.of(item, depth + 1));
    }
    return some;
  }

  #fields(value: Record<string, unknown>, depth: number): unknown {
    const copy: Record<string, unknown> = {};
    if (depth > MAX_DEPTH) return copy;
    for (const key in value) {
      if (this.#left <= 0) {
        copy["..."] = new NamedText("more");
        break;
      }
      const name = key.length > MAX_STRING_LENGTH
        ? `${key.slice(0, MAX_STRING_LENGTH)}...`
        : key;
      Object.defineProperty(copy, name, {
        value: this.of(value[key], depth + 1),
        enumerable: true,
      });
    }
    return copy;
  }
}

/** A text that is shown without quotes. */
class NamedText {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  [Symbol.for("Deno.customInspect")](): string {
    return this.#text;
  }
}

function shortened(value: bigint): unknown {
  const digits = value.toString();
  return digits.length <= MAX_STRING_LENGTH
    ? value
    : new NamedText(`${digits.slice(0, MAX_STRING_LENGTH)}...`);
}
