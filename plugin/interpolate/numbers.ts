// Numbers as Go's %e, %f, %g and %v write them, without sign and padding.

// Go rounds a number that lies exactly between two to the even one, JavaScript
// away from zero. The longest exact form shows whether this is such a number.
function toEven(
  rounded: string,
  exact: string,
  length: number,
): string {
  const rest = exact.slice(length).replace(/[eE].*$/, "").replace(".", "");
  if (!/^50*$/.test(rest)) return rounded;
  const kept = exact.slice(0, length).replace(/\.$/, "");
  return Number(kept.at(-1)) % 2 === 0
    ? kept + (/[eE].*$/.exec(exact)?.[0] ?? "")
    : rounded;
}

const MAX_DIGITS = 100;

/** `123.456`; with a number of digits after the point, or as few as identify the value. */
export function fixed(value: number, precision?: number): string {
  if (value >= 1e21) {
    const whole = BigInt(value).toString();
    return precision ? `${whole}.${"0".repeat(precision)}` : whole;
  }
  if (precision === undefined) {
    const { digits, exponent } = shortest(value);
    if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
    const whole = digits.padEnd(exponent + 1, "0");
    const fraction = whole.slice(exponent + 1);
    return whole.slice(0, exponent + 1) + (fraction && `.${fraction}`);
  }
  const places = Math.min(precision, MAX_DIGITS);
  const exact = value.toFixed(MAX_DIGITS);
  const length = exact.indexOf(".") + 1 + places;
  const rounded = toEven(value.toFixed(places), exact, length);
  return rounded + "0".repeat(precision - places);
}

/** `1.234560e+02`; with a number of digits after the point, or as few as identify the value. */
export function exponential(value: number, precision?: number): string {
  if (precision === undefined) return goExponent(value.toExponential());
  const places = Math.min(precision, MAX_DIGITS);
  const exact = value.toExponential(MAX_DIGITS);
  return goExponent(toEven(value.toExponential(places), exact, 2 + places));
}

// Go writes at least two digits of exponent.
function goExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

/** `%e` for the very large and very small, `%f` for the others. */
export function general(value: number, precision?: number): string {
  if (value === 0) return "0";
  if (precision === undefined) {
    const { exponent } = shortest(value);
    return exponent < -4 || exponent >= 6 ? exponential(value) : fixed(value);
  }
  const significant = Math.max(precision, 1);
  const rounded = exponential(value, significant - 1);
  const exponent = Number(rounded.slice(rounded.indexOf("e") + 1));
  if (exponent < -4 || exponent >= significant) {
    return rounded.replace(
      /(\.\d*?)0*e/,
      (_, fraction) => (fraction === "." ? "" : fraction) + "e",
    );
  }
  const plain = fixed(value, Math.max(significant - 1 - exponent, 0));
  return plain.includes(".") ? plain.replace(/\.?0+$/, "") : plain;
}

function shortest(value: number): { digits: string; exponent: number } {
  const [mantissa, exponent] = value.toExponential().split("e");
  return { digits: mantissa!.replace(".", ""), exponent: Number(exponent) };
}
