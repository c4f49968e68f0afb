// The variables of a template, `$` and `$name`: the innermost of a name hides
// the others, and leaving a block forgets what it declared.

/** A stack of named values. */
export class Variables<Value> {
  readonly #values = new Map<string, Value[]>();
  readonly #names: string[] = [];

  /** Declares a variable, hiding one of the same name. */
  declare(name: string, value: Value): void {
    this.#names.push(name);
    const values = this.#values.get(name);
    if (values) values.push(value);
    else this.#values.set(name, [value]);
  }

  /** Whether there is a variable of that name. */
  has(name: string): boolean {
    return (this.#values.get(name)?.length ?? 0) > 0;
  }

  /** The value of the innermost variable of that name. */
  get(name: string): Value | undefined {
    return this.#values.get(name)?.at(-1);
  }

  /** Gives the innermost variable of that name another value. */
  assign(name: string, value: Value): void {
    const values = this.#values.get(name);
    if (values?.length) values[values.length - 1] = value;
  }

  /** What to hand to {@linkcode forget} later. */
  mark(): number {
    return this.#names.length;
  }

  /** Forgets what was declared since the mark. */
  forget(mark: number): void {
    while (this.#names.length > mark) {
      this.#values.get(this.#names.pop()!)!.pop();
    }
  }
}
