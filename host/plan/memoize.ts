// Memoizes a function of one object.

/**
 * Returns a function that computes the result for each object once.
 *
 * @param make Computes the result.
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
