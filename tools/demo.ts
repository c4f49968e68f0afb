// `deno task demo`: compiles the host and an example plugin, and builds a
// template with them.

import { join, relative, resolve } from "@std/path";
import { compile } from "./compile.ts";

const directory = resolve(import.meta.dirname!, "..", "dist");

const executables = await compile(["baler", "baler-builder-custom-cloud"]);
const [baler, plugin] = executables.map(({ path }) => path) as [string, string];

const demo = join(directory, "demo");
await Deno.mkdir(demo, { recursive: true });
const template = join(demo, "template.json");
await Deno.writeTextFile(
  template,
  JSON.stringify({ builders: { "custom-cloud": plugin } }, null, 2) + "\n",
);

console.log(`\n$ cat ${relative(".", template)}`);
console.log((await Deno.readTextFile(template)).trimEnd());
await run(baler, "build", "template.json");
await run("cat", "images/custom-cloud.json");

async function run(command: string, ...args: string[]): Promise<void> {
  console.log(
    `\n$ ${[command === baler ? "baler" : command, ...args].join(" ")}`,
  );
  const { code } = await new Deno.Command(command, {
    args,
    cwd: demo,
    stdin: "null",
  }).spawn().status;
  if (code !== 0) Deno.exit(code);
}
