// Packer's notation for what is typed at a machine that boots:
// `<esc><wait5>linux text<enter>`, as a list of key presses and pauses.
// Source: https://developer.hashicorp.com/packer/docs/community-plugins (boot_command)

/** A part of a boot command. Keys are QEMU's QKeyCode names. */
export type BootAction =
  | { kind: "press"; keys: string[] }
  | { kind: "down" | "up"; key: string }
  | { kind: "wait"; milliseconds: number };

/** Keys with names, as QKeyCodes. */
const SPECIAL: Readonly<Record<string, string>> = {
  bs: "backspace",
  del: "delete",
  down: "down",
  end: "end",
  enter: "ret",
  esc: "esc",
  home: "home",
  insert: "insert",
  left: "left",
  leftalt: "alt",
  leftctrl: "ctrl",
  leftshift: "shift",
  leftsuper: "meta_l",
  menu: "menu",
  pagedown: "pgdn",
  pageup: "pgup",
  return: "ret",
  right: "right",
  rightalt: "alt_r",
  rightctrl: "ctrl_r",
  rightshift: "shift_r",
  rightsuper: "meta_r",
  spacebar: "spc",
  tab: "tab",
  up: "up",
  ...Object.fromEntries(
    Array.from(
      { length: 12 },
      (_, index) => [`f${index + 1}`, `f${index + 1}`],
    ),
  ),
};

/** Characters of a US keyboard, without and with the shift key. */
const PLAIN: Readonly<Record<string, string>> = {
  " ": "spc",
  "-": "minus",
  "=": "equal",
  "[": "bracket_left",
  "]": "bracket_right",
  ";": "semicolon",
  "'": "apostrophe",
  "`": "grave_accent",
  "\\": "backslash",
  ",": "comma",
  ".": "dot",
  "/": "slash",
  "\n": "ret",
  "\t": "tab",
};
const SHIFTED: Readonly<Record<string, string>> = {
  "!": "1",
  "@": "2",
  "#": "3",
  "$": "4",
  "%": "5",
  "^": "6",
  "&": "7",
  "*": "8",
  "(": "9",
  ")": "0",
  "_": "minus",
  "+": "equal",
  "{": "bracket_left",
  "}": "bracket_right",
  ":": "semicolon",
  '"': "apostrophe",
  "~": "grave_accent",
  "|": "backslash",
  "<": "comma",
  ">": "dot",
  "?": "slash",
};

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

const TAG =
  /<wait((?:\d+(?:\.\d+)?(?:ms|s|m|h))+|\d*)>|<(f\d+|[a-z]+?)(on|off)?>/iy;

/**
 * Reads a boot command.
 *
 * @param text The command, rendered and joined.
 * @returns What to do, in order.
 * @throws {Error} When a character is on no US keyboard, with its position.
 *
 * @example
 * ```ts
 * import { parseBootCommand } from "@baler/baler/builder";
 *
 * const [first, second] = parseBootCommand("<wait5>A");
 * console.assert(first?.kind === "wait" && first.milliseconds === 5000);
 * console.assert(second?.kind === "press" && second.keys.join("+") === "shift+a");
 * ```
 */
export function parseBootCommand(text: string): BootAction[] {
  const actions: BootAction[] = [];
  for (let at = 0; at < text.length;) {
    TAG.lastIndex = at;
    const tag = TAG.exec(text);
    const action = tag && tagAction(tag);
    if (tag && action) {
      actions.push(action);
      at += tag[0].length;
      continue;
    }
    const char = String.fromCodePoint(text.codePointAt(at)!);
    actions.push({ kind: "press", keys: keysOf(char, at) });
    at += char.length;
  }
  return actions;
}

function tagAction(
  [, duration, name, change]: RegExpExecArray,
): BootAction | undefined {
  if (duration !== undefined) {
    return { kind: "wait", milliseconds: waitMs(duration) };
  }
  // "<f1On>" and "<leftShiftOn>"; "<aOn>" for a character.
  const word = name!.toLowerCase();
  const key = Object.hasOwn(SPECIAL, word)
    ? SPECIAL[word]
    : change !== undefined && word.length === 1
    ? keysOf(word, 0).at(-1)
    : undefined;
  if (key === undefined) return undefined;
  if (change === undefined) return { kind: "press", keys: [key] };
  return { kind: change.toLowerCase() === "on" ? "down" : "up", key };
}

function waitMs(text: string): number {
  if (text === "") return 1_000;
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/gi)].reduce(
    (sum, [, number, unit]) =>
      sum + Number(number) * UNIT_MS[unit!.toLowerCase()]!,
    0,
  );
}

function keysOf(char: string, at: number): string[] {
  if (/[a-z0-9]/.test(char)) return [char];
  if (/[A-Z]/.test(char)) return ["shift", char.toLowerCase()];
  if (Object.hasOwn(PLAIN, char)) return [PLAIN[char]!];
  if (Object.hasOwn(SHIFTED, char)) return ["shift", SHIFTED[char]!];
  throw new Error(
    `boot_command has ${JSON.stringify(char)} at character ${
      at + 1
    }, which is on no US keyboard`,
  );
}
