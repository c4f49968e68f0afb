// The source and the test of a new provisioner.

import type { KindFiles } from "./component_files.ts";

/**
 * Returns the files of a provisioner.
 *
 * @param className The name of its class.
 */
export function provisionerFiles(className: string): KindFiles {
  return {
    readme: `## The provisioner

It writes a greeting to a file of the machine.

<!-- options: provisioner.ts options -->

| option | type   | default   | description                             |
| ------ | ------ | --------- | --------------------------------------- |
| \`path\` | string | required  | The file on the machine to write it to. |
| \`whom\` | string | \`"world"\` | Whom to greet.                          |

<!-- end of the options -->
`,
    source: `// A provisioner: it writes a greeting to a file of the machine.

import type {
  ConfigOf,
  Options,
  PrepareOptions,
  Provisioner,
  ProvisionOptions,
} from "@baler/baler";

/** The keys of its configuration. */
export const options = {
  path: {
    type: "string",
    description: "The file on the machine to write it to.",
    required: true,
  },
  whom: { type: "string", description: "Whom to greet.", default: "world" },
} as const satisfies Options;

type Config = ConfigOf<typeof options>;

/** Writes a greeting to a file of the machine. */
export class ${className} implements Provisioner<Config> {
  readonly options = options;
  #config!: Config;

  prepare({ config }: PrepareOptions<Config>) {
    this.#config = config;
  }

  async provision({ ui, communicator, signal }: ProvisionOptions) {
    const { path, whom } = this.#config;
    if (communicator === undefined) {
      await ui.message("There is no machine to greet on.");
      return;
    }
    await ui.say(\`Greeting \${whom} in \${path}...\`);
    await communicator.upload({
      path,
      source: new Blob([\`Hello, \${whom}!\\n\`]).stream(),
      signal,
    });
  }
}
`,
    test: `import assert from "node:assert/strict";
import { testProvisioner } from "@baler/baler/testing";
import { ${className} } from "./provisioner.ts";

Deno.test("the provisioner writes the file", async () => {
  await using provisioner = await testProvisioner(${className}, {
    config: { path: "/etc/motd", whom: "Ada" },
  });
  const machine = await provisioner.provision();
  assert.equal(machine.text("/etc/motd"), "Hello, Ada!\\n");
  assert.deepEqual(provisioner.ui.lines, [
    "say: Greeting Ada in /etc/motd...",
  ]);
});

Deno.test("the provisioner needs a path", async () => {
  await assert.rejects(testProvisioner(${className}), /"path" must be given/);
});
`,
  };
}
