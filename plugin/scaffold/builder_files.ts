// The source and the test of a new builder.

import type { KindFiles } from "./component_files.ts";

/**
 * Returns the files of a builder in steps.
 *
 * @param className The name of its class.
 */
export function builderFiles(className: string): KindFiles {
  return {
    readme: `## The builder

Its artifact is a file with a greeting.

<!-- options: builder.ts options -->

| option | type   | default   | description        |
| ------ | ------ | --------- | ------------------ |
| \`file\` | string | required  | The file to write. |
| \`whom\` | string | \`"world"\` | Whom to greet.     |

<!-- end of the options -->
`,
    source: `// A builder: its artifact is a file with a greeting.

import type {
  Artifact,
  BuildContext,
  Builder,
  BuilderRunOptions,
  ConfigOf,
  Options,
  PrepareOptions,
} from "@baler/baler";
import { provisionStep, runSteps, type Step } from "@baler/baler/builder";

/** The keys of its configuration. */
export const options = {
  file: {
    type: "string",
    description: "The file to write.",
    required: true,
  },
  whom: { type: "string", description: "Whom to greet.", default: "world" },
} as const satisfies Options;

type Config = ConfigOf<typeof options>;

/** Writes the file. Its cleanup removes it when a later step fails. */
const writeFile: Step<{ config: Config; isDone: boolean }> = {
  name: "WriteFile",
  async run({ config }, { ui }) {
    await ui.say(\`Greeting \${config.whom}...\`);
    await Deno.writeTextFile(config.file, \`Hello, \${config.whom}!\\n\`);
  },
  async cleanup({ config, isDone }) {
    if (!isDone) await Deno.remove(config.file);
  },
};

/** Writes a greeting to a file. */
export class ${className} implements Builder<Config> {
  readonly options = options;
  #config!: Config;
  #build!: BuildContext;

  prepare({ config, build }: PrepareOptions<Config>) {
    this.#config = config;
    this.#build = build;
    return { generatedData: ["Greeting"] };
  }

  async run({ ui, hook, signal }: BuilderRunOptions): Promise<Artifact> {
    const config = this.#config;
    const state = { config, isDone: false };
    // Provisioners run when the machine is up, with a communicator for it.
    const provision = provisionStep<typeof state>({
      hook,
      data: () => ({ Greeting: config.file }),
    });
    const done: Step<typeof state> = {
      name: "Done",
      run() {
        state.isDone = true;
      },
    };
    await runSteps([writeFile, provision, done], state, {
      ui,
      signal,
      build: this.#build,
    });
    return {
      builderId: "example.greeting",
      id: config.file,
      files: [config.file],
      destroy: () => Deno.remove(config.file),
      toString: () => \`A greeting in \${config.file}\`,
    };
  }
}
`,
    test: `import assert from "node:assert/strict";
import { PluginProgram, RecordingHook, testBuilder } from "@baler/baler/testing";
import { ${className} } from "./builder.ts";

Deno.test("the builder writes the file, runs the provisioners, and can remove the file", async () => {
  const directory = await Deno.makeTempDir();
  const file = \`\${directory}/greeting.txt\`;
  await using builder = await testBuilder(${className}, {
    config: { file, whom: "Ada" },
  });
  const hook = new RecordingHook();
  const artifact = await builder.run({ hook });
  assert.equal(await Deno.readTextFile(file), "Hello, Ada!\\n");
  assert.deepEqual(builder.ui.lines, ["say: Greeting Ada..."]);
  assert.deepEqual(hook.calls.map(({ data }) => data), [{ Greeting: file }]);
  await artifact!.destroy();
  await Deno.remove(directory);
});

Deno.test("the builder removes the file when a provisioner fails", async () => {
  const directory = await Deno.makeTempDir();
  await using builder = await testBuilder(${className}, {
    config: { file: \`\${directory}/greeting.txt\` },
  });
  const hook = new RecordingHook([{
    provision() {
      throw new Error("no such package");
    },
  }]);
  await assert.rejects(builder.run({ hook }), /no such package/);
  await Deno.remove(directory);
});

Deno.test("the builder refuses a misspelt option", async () => {
  await assert.rejects(
    testBuilder(${className}, { config: { file: "a", whon: "Ada" } }),
    /whom/,
  );
});

Deno.test("the builder runs in a process of its own", async () => {
  const directory = await Deno.makeTempDir();
  const file = \`\${directory}/greeting.txt\`;
  const plugin = new PluginProgram([
    Deno.execPath(),
    "run",
    "--allow-read",
    "--allow-write",
    \`\${import.meta.dirname}/main.ts\`,
  ]);
  await using builder = await testBuilder(plugin, { config: { file } });
  await (await builder.run())!.destroy();
  await Deno.remove(directory);
});
`,
  };
}
