// A function that remembers: what was made of an object is made of it once.

/**
 * A function that makes something of each object once.
 *
 * @param make Makes it.
 */
export function memoize<K extends object, V extends object | number>(
  make: (key: K) => V,
): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    const before = made.get(key);
    if (before !== undefined) return before;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}
