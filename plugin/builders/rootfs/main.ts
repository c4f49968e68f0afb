// The executable of the rootfs builder. It starts itself in namespaces, where it
// unpacks and packs trees and mounts machines.

import { INSIDE } from "../../builder/namespaces/inside_command.ts";
import { serve } from "../../sdk/serve.ts";

if (import.meta.main) {
  if (Deno.args[0] === INSIDE) {
    const { runInside } = await import("../../builder/namespaces/inside.ts");
    await runInside();
  } else {
    const { RootfsBuilder } = await import("./rootfs_builder.ts");
    serve({ builder: { rootfs: RootfsBuilder } });
  }
}
