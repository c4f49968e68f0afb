// The files of a new plugin.

import { VERSION } from "../common/version.ts";
import { componentFiles, type ComponentKind } from "./component_files.ts";

/** What a new plugin is made of. */
export interface ProjectOptions {
  /** The plugin's name: lower-case words with hyphens between them. */
  readonly name: string;
  /** The name of the directory that it is in. */
  readonly directory: string;
  /** The kinds of component that it has, one component of each. */
  readonly kinds: readonly ComponentKind[];
  /**
   * The relative path of a clone of baler's repository, where the library is
   * taken from; undefined to take it from the registry.
   */
  readonly clone?: string | undefined;
}

/**
 * Returns the files of a new plugin.
 *
 * @param options Its name, its components, and where the library is.
 * @returns The contents by path.
 */
export function projectFiles(options: ProjectOptions): Map<string, string> {
  const { name, kinds, clone } = options;
  const executable = kinds.length === 1 ? `baler-${kinds[0]}-${name}` : name;
  const components = kinds.map((kind) => componentFiles(kind, name));
  const files = new Map<string, string>([
    ["deno.json", denoJson(executable, clone)],
    ["main.ts", mainModule(components)],
    ["readme_test.ts", README_TEST],
    ["README.md", readme(options, executable, components)],
    ["template.json", template(name, kinds)],
    [".gitignore", "/dist/\n"],
    [".vscode/settings.json", json({ "deno.enable": true })],
    [".vscode/launch.json", LAUNCH],
    [".github/workflows/ci.yml", workflow(executable)],
  ]);
  for (const { module, source, testModule, test } of components) {
    files.set(module, source);
    files.set(testModule, test);
  }
  return files;
}

/** The permissions of a new plugin. */
const PERMISSIONS = { read: true, write: true };

/** The same, as flags. */
const FLAGS = ["--allow-read", "--allow-write"];

function denoJson(executable: string, clone: string | undefined): string {
  return json({
    version: "0.1.0",
    ...(clone === undefined ? {} : { links: [clone] }),
    imports: { "@baler/baler": `jsr:@baler/baler@^${VERSION}` },
    compile: { permissions: PERMISSIONS },
    tasks: {
      check: "deno fmt --check && deno lint && deno check",
      compile:
        `deno compile -P --no-code-cache --output dist/${executable} main.ts`,
      readme: "deno test --allow-all readme_test.ts -- --write",
      test: "deno test --allow-all",
    },
  });
}

type Files = ReturnType<typeof componentFiles>;

function mainModule(components: readonly Files[]): string {
  const imports = components.map(({ className, module }) =>
    `import { ${className} } from "./${module}";`
  ).sort((a, b) => a.split("from")[1]! < b.split("from")[1]! ? -1 : 1);
  const served = components.map(({ key, className }) =>
    `      ${key}: { "": ${className} },`
  );
  return `// Serves the components. A test imports them from their own modules.

import { serve } from "@baler/baler";
${imports.join("\n")}
import config from "./deno.json" with { type: "json" };

if (import.meta.main) {
  serve(
    {
${served.join("\n")}
    },
    { version: config.version },
  );
}
`;
}

const README_TEST = `import { checkOptionTables } from "@baler/baler/testing";

// "deno task readme" writes the tables.
Deno.test("README.md has the options as they are declared", async () => {
  await checkOptionTables(new URL("README.md", import.meta.url), {
    write: Deno.args.includes("--write"),
  });
});
`;

function readme(
  { name, directory, kinds, clone }: ProjectOptions,
  executable: string,
  components: readonly Files[],
): string {
  const plural = kinds.length > 1 ? "components" : "component";
  const compile = clone === undefined
    ? "deno task compile"
    : `(cd ${clone} && deno task compile "$OLDPWD")`;
  const made = clone === undefined ? `dist/${executable}` : directory;
  return `# ${executable}

A plugin for [baler](https://jsr.io/@baler/baler), with the ${plural}
${kinds.map((kind) => `\`${kind}\``).join(", ")}.

${components.map(({ readme }) => readme).join("\n")}
## Use it

Put the executable into a directory of \`BALER_PLUGIN_PATH\`, or name its path in
a template:

\`\`\`json
${json({ plugins: pluginTable(name, kinds, `/opt/${executable}`) })}\`\`\`

## Work on it

\`\`\`sh
deno task test
deno task check
baler build template.json
\`\`\`

\`template.json\` runs the plugin from source. \`deno task readme\` writes the
tables of options above. This makes the executable \`${made}\`:

\`\`\`sh
${compile}
\`\`\`
`;
}

/** The `"plugins"` of a template. */
function pluginTable(
  name: string,
  kinds: readonly ComponentKind[],
  command: string | string[],
): Record<string, Record<string, string | string[]>> {
  return Object.fromEntries(
    kinds.map((kind) => [`${kind}s`, { [name]: command }]),
  );
}

/** A template that runs the plugin from source. */
function template(name: string, kinds: readonly ComponentKind[]): string {
  const command = [
    "deno",
    "run",
    ...FLAGS,
    "./main.ts",
  ];
  return json({
    plugins: pluginTable(name, kinds, command),
    builders: [
      kinds.includes("builder")
        ? { type: name, file: "greeting.txt" }
        : { type: "file", target: "greeting.txt", content: "Hello\n" },
    ],
    ...(kinds.includes("provisioner")
      ? { provisioners: [{ type: name, path: "greeted.txt" }] }
      : {}),
    ...(kinds.includes("post-processor")
      ? { "post-processors": [{ type: name, file: "artifacts.txt" }] }
      : {}),
  });
}

/** Tasks of VS Code's debugger. */
const LAUNCH = json({
  version: "0.2.0",
  configurations: [
    {
      name: "Debug the tests",
      type: "node",
      request: "launch",
      runtimeExecutable: "deno",
      runtimeArgs: ["test", "--allow-all", "--inspect-brk"],
      attachSimplePort: 9229,
    },
    {
      name: "Attach to a plugin that runs with --inspect-brk",
      type: "node",
      request: "attach",
      port: 9229,
    },
  ],
});

/** Checks every commit; a tag such as v1.0.0 is released for five platforms. */
function workflow(executable: string): string {
  return `name: CI

on:
  push:
  pull_request:

permissions:
  contents: read

jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: denoland/setup-deno@v2
      - run: deno task check
      - run: deno task test

  release:
    needs: test
    if: startsWith(github.ref, 'refs/tags/v')
    runs-on: ubuntu-latest
    permissions:
      contents: write
    steps:
      - uses: actions/checkout@v4
      - uses: denoland/setup-deno@v2
      - run: |
          for target in x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu \\
            x86_64-apple-darwin aarch64-apple-darwin x86_64-pc-windows-msvc; do
            deno compile -P --no-code-cache --target "$target" \\
              --output "dist/$target/${executable}" main.ts
            tar -czf "dist/${executable}-$target.tar.gz" -C "dist/$target" .
          done
          cd dist && sha256sum *.tar.gz > SHA256SUMS
      - run: gh release create "$GITHUB_REF_NAME" dist/*.tar.gz dist/SHA256SUMS
        env:
          GH_TOKEN: \${{ github.token }}
`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
