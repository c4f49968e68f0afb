// The source and the test of a new post-processor.

import type { KindFiles } from "./component_files.ts";

/**
 * Returns the files of a post-processor.
 *
 * @param className The name of its class.
 */
export function postProcessorFiles(className: string): KindFiles {
  return {
    readme: `## The post-processor

It writes the names of an artifact's files to a file.

<!-- options: post_processor.ts options -->

| option | type   | default  | description                    |
| ------ | ------ | -------- | ------------------------------ |
| \`file\` | string | required | The file to write the list to. |

<!-- end of the options -->
`,
    source:
      `// A post-processor: it writes the names of an artifact's files to a file.

import type {
  ConfigOf,
  Options,
  PostProcessOptions,
  PostProcessor,
  PostProcessResult,
  PrepareOptions,
} from "@baler/baler";

/** The keys of its configuration. */
export const options = {
  file: {
    type: "string",
    description: "The file to write the list to.",
    required: true,
  },
} as const satisfies Options;

type Config = ConfigOf<typeof options>;

/** Writes the names of an artifact's files to a file. */
export class ${className} implements PostProcessor<Config> {
  readonly options = options;
  #file = "";

  configure({ config }: PrepareOptions<Config>) {
    this.#file = config.file;
  }

  async postProcess(
    { ui, artifact }: PostProcessOptions,
  ): Promise<PostProcessResult> {
    await ui.say(\`Listing \${artifact.files.length} files...\`);
    const file = this.#file;
    await Deno.writeTextFile(file, \`\${artifact.files.join("\\n")}\\n\`);
    return {
      artifact: {
        builderId: "example.list",
        id: file,
        files: [file],
        destroy: () => Deno.remove(file),
        toString: () => \`A list in \${file}\`,
      },
      // The list is of no use without the files.
      keep: true,
    };
  }
}
`,
    test: `import assert from "node:assert/strict";
import { testPostProcessor } from "@baler/baler/testing";
import { ${className} } from "./post_processor.ts";

Deno.test("the post-processor lists the files, and keeps them", async () => {
  const directory = await Deno.makeTempDir();
  const file = \`\${directory}/list.txt\`;
  await using postProcessor = await testPostProcessor(${className}, {
    config: { file },
  });
  const { artifact, keep } = await postProcessor.postProcess({
    artifact: {
      builderId: "test",
      id: "",
      files: ["a.img", "b.img"],
      destroy() {},
      toString: () => "two images",
    },
  });
  assert.equal(await Deno.readTextFile(file), "a.img\\nb.img\\n");
  assert.equal(keep, true);
  await artifact!.destroy();
  await Deno.remove(directory);
});
`,
  };
}
