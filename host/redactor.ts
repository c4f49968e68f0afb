// The redactor keeps the values of sensitive variables out of all that the
// host shows and logs.

/** Replaces secrets in texts. */
export class Redactor {
  #secrets: string[] = [];

  /**
   * Keeps more values secret from now on.
   *
   * @param values The values; empty ones are no secret.
   */
  add(values: Iterable<string>): void {
    const all = new Set(this.#secrets);
    for (const value of values) {
      if (value === "") continue;
      all.add(value);
      // As it stands in a URL, in JSON, or with its lines shown one by one.
      all.add(encodeURIComponent(value));
      all.add(JSON.stringify(value).slice(1, -1));
      for (const line of value.split(/\r?\n/)) {
        if (line.trim().length > 3) all.add(line);
      }
    }
    // The longest first: one secret may be a part of another.
    this.#secrets = [...all].sort((a, b) => b.length - a.length);
  }

  /** Whether there is anything to keep secret. */
  get hasSecrets(): boolean {
    return this.#secrets.length > 0;
  }

  /** A text with `<sensitive>` in place of each secret. */
  readonly redact = (text: string): string => {
    for (const secret of this.#secrets) {
      if (text.includes(secret)) text = text.replaceAll(secret, "<sensitive>");
    }
    return text;
  };
}
