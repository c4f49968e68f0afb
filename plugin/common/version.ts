// The version of baler and of its library, from deno.json.

import config from "../../deno.json" with { type: "json" };

/** The version of baler: of its host, and of the library that plugins use. */
export const VERSION: string = config.version;
