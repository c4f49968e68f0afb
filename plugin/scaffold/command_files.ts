// The source and the test of a new command.

import type { KindFiles } from "./component_files.ts";

/**
 * Returns the files of a command.
 *
 * @param className The name of its class.
 */
export function commandFiles(className: string): KindFiles {
  return {
    readme: `## The command

\`baler NAME [WHOM...]\` greets.
`,
    source: `// A command: \`baler NAME [WHOM...]\` greets.

import type { Command, CommandRunOptions } from "@baler/baler";

/** Greets. */
export class ${className} implements Command {
  readonly synopsis = "greets";

  async run({ args, ui }: CommandRunOptions) {
    await ui.say(\`Hello, \${args.join(" ") || "world"}!\`);
    return 0;
  }
}
`,
    test: `import assert from "node:assert/strict";
import { testCommand } from "@baler/baler/testing";
import { ${className} } from "./command.ts";

Deno.test("the command greets", async () => {
  await using command = await testCommand(${className});
  const { code } = await command.run(["Ada"]);
  assert.equal(code, 0);
  assert.deepEqual(command.ui.lines, ["say: Hello, Ada!"]);
});
`,
  };
}
