// A plugin that Packer does not run loads nothing of Packer's wire, and one
// that Packer runs, or that describes itself, nothing of baler's.

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

interface Module {
  specifier: string;
  dependencies?: {
    isDynamic?: boolean;
    code?: { specifier?: string };
  }[];
}

/** The modules of this repository that a module imports before it runs, itself among them. */
async function staticImports(path: string): Promise<string[]> {
  const root = new URL("../../", import.meta.url);
  const start = new URL(path, root).href;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", start],
    cwd: fromFileUrl(root),
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: Module[];
  };
  const byName = new Map(modules.map((module) => [module.specifier, module]));
  const found = new Set<string>();
  const visit = (specifier: string) => {
    if (found.has(specifier) || !specifier.startsWith(root.href)) return;
    found.add(specifier);
    for (
      const { isDynamic, code } of byName.get(specifier)?.dependencies ?? []
    ) {
      if (!isDynamic && code?.specifier) visit(code.specifier);
    }
  };
  visit(start);
  return [...found].map((specifier) => specifier.slice(root.href.length))
    .sort();
}

Deno.test("mod.ts imports no wire before it is known which is spoken", async () => {
  const modules = await staticImports("mod.ts");
  assert(modules.includes("plugin/sdk/serve.ts"), modules.join("\n"));
  assertEquals(
    modules.filter((path) => path.startsWith("plugin/packer_wire/")),
    [],
  );
  // Its version and its errors, which import nothing.
  assertEquals(
    modules.filter((path) => path.startsWith("plugin/rpc/")),
    ["plugin/rpc/protocol.ts"],
  );
});

Deno.test("Packer's wire imports none of baler's wire but its errors, and no host", async () => {
  const modules = await staticImports("plugin/packer_wire/serve.ts");
  assertEquals(
    modules.filter((path) =>
      path.startsWith("plugin/rpc/") || path.startsWith("host/")
    ),
    ["plugin/rpc/protocol.ts"],
  );
});
