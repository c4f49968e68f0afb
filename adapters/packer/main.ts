// `baler-packer PLUGIN`: a plugin of baler's that runs one of Packer's. It has the network that Packer's wire
// needs, so that the host needs none.

import { VERSION } from "../../plugin/common/version.ts";
import { serve } from "../../plugin/sdk/serve.ts";
import { anyComponents, componentsOf } from "./components.ts";
import { CommandError, readPluginCommand, USAGE } from "./plugin_command.ts";

if (import.meta.main) {
  const words = Deno.args;
  if (words[0] === "--help" || words[0] === "-h") {
    console.log(USAGE);
    Deno.exit(0);
  }
  // `baler-packer PLUGIN describe` describes what it serves, as every plugin of baler's does.
  const isDescribe = words.at(-1) === "describe";
  try {
    const components = words[0] === "--serve" ? anyComponents() : componentsOf(
      await readPluginCommand(isDescribe ? words.slice(0, -1) : words),
    );
    await serve(components, {
      version: VERSION,
      rawConfig: true,
      args: isDescribe ? ["describe"] : [],
    });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}
