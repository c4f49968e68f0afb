// The bundled plugin, which serves all bundled components.

import type { Components } from "../sdk/components.ts";
import { serve } from "../sdk/serve.ts";
import { VERSION } from "../common/version.ts";
import { BUNDLED, type Load } from "./components.ts";

/**
 * Serves them, as `baler plugin` does, or a single one, as
 * `baler plugin TYPE-NAME` does.
 *
 * @param args The arguments after `plugin`: optionally a component, for example
 * `"post-processor-manifest"`, and perhaps `describe`.
 * @returns False when there is no such component.
 */
export async function serveBundled(args: readonly string[]): Promise<boolean> {
  const [name, ...rest] = args;
  const isAll = name === undefined || name === "describe";
  const components = isAll ? ALL : onlyOne(name);
  if (components === undefined) return false;
  // Nearly every build has a template in it: load the engine while the host answers.
  void import("../interpolate/mod.ts");
  await serve(components, { version: VERSION, args: isAll ? args : rest });
  return true;
}

const ALL: Components = Object.fromEntries(
  Object.entries(BUNDLED).map(([kind, byName]) => [
    kind,
    Object.fromEntries(
      Object.entries(byName).map(([name, load]) => [name, maker(load)]),
    ),
  ]),
);

/** Returns a factory that creates an instance for each build. */
function maker(load: Load): () => Promise<object> {
  return async () => new (await load()).default();
}

function onlyOne(component: string): Components | undefined {
  for (const [kind, byName] of Object.entries(ALL)) {
    const name = component.slice(kind.length + 1);
    if (!component.startsWith(`${kind}-`) || !Object.hasOwn(byName!, name)) {
      continue;
    }
    return { [kind]: { [name]: byName![name]! } };
  }
}
