// Serves the components that the tests of the testing kit run.

import { serve } from "../../mod.ts";
import { Mirror, Motd, Sign } from "./components.ts";

if (Deno.env.has("EXIT_CODE")) {
  globalThis.addEventListener("unload", () => {
    Deno.exitCode = Number(Deno.env.get("EXIT_CODE"));
  });
}
if (import.meta.main) {
  serve({
    builder: { "": Mirror },
    provisioner: { "": Motd },
    "post-processor": { "": Sign },
  });
}
