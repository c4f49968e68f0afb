// A gob decoder for tests: reads any stream of one value by its own type
// definitions, so that bytes of Go and of baler can be compared by what they
// mean. Definitions may stand anywhere, as Go's do.

/** What a definition says. */
type Type =
  | { kind: "slice" | "array"; element: number }
  | { kind: "struct"; fields: [name: string, type: number][] }
  | { kind: "map"; key: number; element: number }
  | { kind: "encoder" };

const BUILT_IN = {
  1: "bool",
  2: "int",
  3: "uint",
  5: "bytes",
  6: "string",
  8: "interface",
};

/** The value of a gob stream. */
export function decodeGob(bytes: Uint8Array): unknown {
  return new Decoder(bytes).value();
}

class Decoder {
  readonly #types = new Map<number, Type>();
  #at = 0;

  constructor(readonly bytes: Uint8Array) {}

  value(): unknown {
    const id = this.#message();
    const type = this.#types.get(id);
    if (type?.kind !== "struct") this.#expect(0);
    const value = this.#read(id);
    if (this.#at !== this.bytes.length) throw new Error("more bytes follow");
    return value;
  }

  /** Goes over definitions to the value behind them, and returns its type. */
  #message(): number {
    for (;;) {
      this.#uint();
      const id = this.#int();
      if (id >= 0) return id;
      this.#types.set(-id, this.#definition());
    }
  }

  #definition(): Type {
    const field = this.#uint();
    let type: Type;
    this.#expect(1);
    this.#common();
    switch (field) {
      case 1:
      case 2:
        this.#expect(1);
        type = { kind: "slice", element: this.#int() };
        break;
      case 3: {
        const fields: [string, number][] = [];
        const delta = this.#uint();
        if (delta === 1) {
          for (let left = this.#uint(); left > 0; left--) {
            this.#expect(1);
            const name = this.#string();
            this.#expect(1);
            fields.push([name, this.#int()]);
            this.#expect(0);
          }
          this.#expect(0);
        }
        type = { kind: "struct", fields };
        this.#expect(0);
        return type;
      }
      case 4: {
        this.#expect(1);
        const key = this.#int();
        this.#expect(1);
        type = { kind: "map", key, element: this.#int() };
        break;
      }
      case 5:
        type = { kind: "encoder" };
        break;
      default:
        throw new Error(`definition of kind ${field}`);
    }
    this.#expect(0);
    this.#expect(0);
    return type;
  }

  #common(): void {
    this.#expect(1);
    this.#string();
    this.#expect(1);
    this.#int();
    this.#expect(0);
  }

  #read(id: number): unknown {
    switch (BUILT_IN[id as keyof typeof BUILT_IN]) {
      case "bool":
        return this.#uint() === 1;
      case "int":
        return this.#int();
      case "uint":
        return this.#uint();
      case "string":
        return this.#string();
      case "bytes":
        return this.#take(this.#uint());
      case "interface":
        return this.#interface();
    }
    const type = this.#types.get(id);
    switch (type?.kind) {
      case "encoder":
        // cty's types are gob streams of their own.
        return decodeGob(this.#take(this.#uint()));
      case "map": {
        const map: Record<string, unknown> = {};
        for (let left = this.#uint(); left > 0; left--) {
          map[String(this.#read(type.key))] = this.#read(type.element);
        }
        return map;
      }
      case "struct": {
        const struct: Record<string, unknown> = {};
        for (let field = -1, delta; (delta = this.#uint()) !== 0;) {
          field += delta;
          const [name, fieldType] = type.fields[field]!;
          struct[name] = this.#read(fieldType);
        }
        return struct;
      }
      case "slice":
        return Array.from(
          { length: this.#uint() },
          () => this.#read(type.element),
        );
    }
    throw new Error(`a value of the unknown type ${id}`);
  }

  #interface(): unknown {
    const name = this.#string();
    if (name === "") return null;
    // A definition makes the value begin in another message.
    let id = this.#int();
    while (id < 0) {
      this.#types.set(-id, this.#definition());
      this.#uint();
      id = this.#int();
    }
    this.#uint();
    if (this.#types.get(id)?.kind !== "struct") this.#expect(0);
    return { [name]: this.#read(id) };
  }

  #expect(byte: number): void {
    const found = this.#uint();
    if (found !== byte) {
      throw new Error(`${found} instead of ${byte} at ${this.#at}`);
    }
  }

  #string(): string {
    return new TextDecoder().decode(this.#take(this.#uint()));
  }

  #int(): number {
    const value = this.#uint();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  #uint(): number {
    const first = this.#take(1)[0]!;
    return first < 128
      ? first
      : this.#take(256 - first).reduce((value, byte) => 256 * value + byte, 0);
  }

  #take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.bytes.length) throw new Error("the bytes end too early");
    const bytes = this.bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}
