// The version of baler and of its library, in one place for both sides.

import config from "../../deno.json" with { type: "json" };

/** The version of baler, of its host and of the library that a plugin is written with. */
export const VERSION: string = config.version;
