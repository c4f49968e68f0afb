// `baler version`: shows baler's version.

import { VERSION } from "../../../plugin/common/version.ts";
import { defineCommand } from "../command.ts";

/** Shows baler's version. */
export const version = defineCommand({
  usage: "",
  description: "Shows baler's version.",
  flags: {},
  run({ ui }) {
    ui.machine("version", VERSION);
    ui.machine("version-prelease", "");
    ui.machine("version-commit", "");
    ui.say(`baler v${VERSION}`);
    return Promise.resolve(0);
  },
});
