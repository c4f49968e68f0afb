// What a template may cost: far more than any real one needs, and little
// enough that a hostile one ends in an error within a second or two.

/** How deep blocks and parentheses may stand within each other. */
export const deepestNesting = 100;

/** How many arguments a function may be given. */
export const mostArguments = 1000;

/** How deep blocks and templates may call each other. */
export const deepestCall = 200;

/** How many actions, commands and turns of a loop are evaluated. */
export const mostSteps = 2_000_000;

/** How many characters a template may write, or hold in a variable. */
export const longestText = 64 * 1024 * 1024;

/** How deep lists and maps may stand within each other to be printed. */
export const deepestValue = 100;
