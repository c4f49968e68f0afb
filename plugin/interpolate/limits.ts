// The limits of one interpolation: far above what a real template needs, and
// low enough that a hostile one fails within a few seconds.

/** How deep blocks and parentheses may nest. */
export const MAX_NESTING = 100;

/** How many arguments a function call may have. */
export const MAX_ARGUMENTS = 1000;

/** How many tokens a template may consist of. */
export const MAX_TOKENS = 2_000_000;

/** How deep blocks and templates may call each other. */
export const MAX_CALL_DEPTH = 200;

/**
 * How many steps may be evaluated: an action, a command and an iteration of a
 * loop are one step each, and so are {@linkcode CHARACTERS_PER_STEP} characters
 * of a function's arguments or result.
 */
export const MAX_STEPS = 4_000_000;

/** How many UTF-16 units of a function's arguments and result cost one step. */
export const CHARACTERS_PER_STEP = 32;

/** How many UTF-16 units a template may write, or hold in a variable. */
export const MAX_TEXT_LENGTH = 32 * 1024 * 1024;

/** How many UTF-16 units the layout of a date may have. */
export const MAX_LAYOUT_LENGTH = 64 * 1024;

/** How deep lists and maps may nest in a value that is printed. */
export const MAX_VALUE_DEPTH = 100;
