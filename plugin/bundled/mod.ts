// The bundled plugins by kind and name, each loaded only by the process that
// serves it.

import type { Components, Served } from "../serve.ts";

type Load = () => Promise<{ default: Served }>;

/** The plugins that ship with baler. */
export const BUNDLED: Readonly<Record<string, Readonly<Record<string, Load>>>> =
  {
    builder: {
      file: () => import("./builder_file.ts"),
      null: () => import("./builder_null.ts"),
    },
    provisioner: {
      breakpoint: () => import("./provisioner_breakpoint.ts"),
      file: () => import("./provisioner_file.ts"),
      shell: () => import("./provisioner_shell.ts"),
      "shell-local": () => import("./provisioner_shell_local.ts"),
    },
    "post-processor": {
      artifice: () => import("./post_processor_artifice.ts"),
      checksum: () => import("./post_processor_checksum.ts"),
      compress: () => import("./post_processor_compress.ts"),
      manifest: () => import("./post_processor_manifest.ts"),
      "shell-local": () => import("./post_processor_shell_local.ts"),
    },
  };

/**
 * Serves one bundled plugin, as `baler plugin TYPE-NAME` does.
 *
 * @param name The plugin, for example `"post-processor-manifest"`.
 * @returns False when there is none of that name.
 */
export async function serveBundled(name: string): Promise<boolean> {
  for (const [kind, byName] of Object.entries(BUNDLED)) {
    const rest = name.slice(kind.length + 1);
    if (!name.startsWith(`${kind}-`) || !Object.hasOwn(byName, rest)) continue;
    const [{ default: served }, { serve }, { VERSION }] = await Promise.all([
      byName[rest]!(),
      import("../serve.ts"),
      import("../version.ts"),
    ]);
    await serve(
      { [kind]: { [rest]: served } } as Components,
      { version: VERSION },
    );
    return true;
  }
  return false;
}
