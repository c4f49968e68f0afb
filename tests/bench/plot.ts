// The plot of how cost grows, as an SVG: both axes logarithmic, so that what
// grows with the size rises at the slope of the grey line, and no steeper.

import type { Growth } from "./growth.ts";

interface Series {
  readonly name: string;
  readonly color: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

interface Panel {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
}

const WIDTH = 440;
const HEIGHT = 360;
const LEFT = 64;
const RIGHT = 16;
const TOP = 40;
const BOTTOM = 92;

/** Draws it. */
export function growthPlot({ plugins, sizes }: Growth): string {
  const memory = plugins.flatMap(({ plugins, memory }) =>
    memory === undefined ? [] : [[plugins, memory] as const]
  );
  const panels: Panel[] = [{
    title: "One argument there and back",
    x: "size of the argument, bytes",
    y: "ms",
    series: [{
      name: "Uint8Array",
      color: "#0b6e99",
      points: sizes.map(({ size, bytes }) => [size, bytes]),
    }, {
      name: "text",
      color: "#c2410c",
      points: sizes.flatMap(({ size, text }) =>
        text === undefined ? [] : [[size, text] as const]
      ),
    }],
  }, {
    title: "Plugins at a time",
    x: "plugins",
    y: "ms, MiB, calls/ms",
    series: [{
      name: "start until all have answered, ms",
      color: "#0b6e99",
      points: plugins.map(({ plugins, start }) => [plugins, start]),
    }, {
      name: "memory of all (PSS), MiB",
      color: "#c2410c",
      points: memory,
    }, {
      name: "calls to all of them, calls/ms",
      color: "#4d7c0f",
      points: plugins.map(({ plugins, calls }) => [plugins, calls / 1000]),
    }],
  }];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${
      WIDTH * panels.length
    } ${HEIGHT}" font-family="sans-serif" font-size="11" fill="#222">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...panels.map((panel, index) =>
      `<g transform="translate(${index * WIDTH} 0)">${drawn(panel)}</g>`
    ),
    "</svg>\n",
  ].join("\n");
}

function drawn({ title, x, y, series }: Panel): string {
  const all = series.flatMap(({ points }) => points);
  const xs = decades(all.map(([value]) => value));
  const ys = decades(all.map(([, value]) => value));
  const across = scale(xs, LEFT, WIDTH - RIGHT);
  const up = scale(ys, HEIGHT - BOTTOM, TOP);
  const parts = [
    `<text x="${LEFT}" y="20" font-size="14" font-weight="bold">${title}</text>`,
    ...xs.map((value) =>
      line(across(value), TOP, across(value), HEIGHT - BOTTOM, "#ddd") +
      `<text x="${across(value)}" y="${
        HEIGHT - BOTTOM + 16
      }" text-anchor="middle">${named(value)}</text>`
    ),
    ...ys.map((value) =>
      line(LEFT, up(value), WIDTH - RIGHT, up(value), "#ddd") +
      `<text x="${LEFT - 6}" y="${up(value) + 4}" text-anchor="end">${
        named(value)
      }</text>`
    ),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${
      HEIGHT - BOTTOM + 32
    }" text-anchor="middle">${x}</text>`,
    `<text x="14" y="${(TOP + HEIGHT - BOTTOM) / 2}" transform="rotate(-90 14 ${
      (TOP + HEIGHT - BOTTOM) / 2
    })" text-anchor="middle">${y}</text>`,
    linear(xs, ys, across, up),
  ];
  for (const [index, { name, color, points }] of series.entries()) {
    const places = points.map(([a, b]) =>
      [across(a).toFixed(1), up(b).toFixed(1)] as const
    );
    const legend = HEIGHT - BOTTOM + 50 + 14 * index;
    parts.push(
      `<polyline fill="none" stroke="${color}" stroke-width="2" points="${
        places.map((place) => place.join(",")).join(" ")
      }"/>`,
      ...places.map(([a, b]) =>
        `<circle cx="${a}" cy="${b}" r="3" fill="${color}"/>`
      ),
      line(LEFT, legend - 4, LEFT + 20, legend - 4, color, 2),
      `<text x="${LEFT + 26}" y="${legend}">${name}</text>`,
    );
  }
  return parts.join("\n");
}

/** The slope of what grows with its cause: from the top right corner downwards. */
function linear(
  xs: readonly number[],
  ys: readonly number[],
  across: (value: number) => number,
  up: (value: number) => number,
): string {
  const span = Math.min(xs.at(-1)! / xs[0]!, ys.at(-1)! / ys[0]!);
  return line(
    across(xs.at(-1)! / span),
    up(ys.at(-1)! / span),
    across(xs.at(-1)!),
    up(ys.at(-1)!),
    "#999",
    1,
    "4 3",
  );
}

/** The powers of ten around some numbers. */
function decades(values: readonly number[]): number[] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(Math.ceil(Math.log10(Math.max(...values))), low + 1);
  return Array.from(
    { length: high - low + 1 },
    (_, step) => 10 ** (low + step),
  );
}

function scale(
  marks: readonly number[],
  from: number,
  to: number,
): (value: number) => number {
  const low = Math.log10(marks[0]!);
  const high = Math.log10(marks.at(-1)!);
  return (value) =>
    from + (Math.log10(value) - low) / (high - low) * (to - from);
}

function line(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  color: string,
  width = 1,
  dashes?: string,
): string {
  const at = [x1, y1, x2, y2].map((value) => Number(value.toFixed(1)));
  return `<line x1="${at[0]}" y1="${at[1]}" x2="${at[2]}" y2="${
    at[3]
  }" stroke="${color}" stroke-width="${width}"${
    dashes === undefined ? "" : ` stroke-dasharray="${dashes}"`
  }/>`;
}

function named(value: number): string {
  for (const [unit, name] of [[1e6, "M"], [1e3, "k"]] as const) {
    if (value >= unit) return `${value / unit}${name}`;
  }
  return String(Number(value.toPrecision(1)));
}
