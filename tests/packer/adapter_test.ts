// The parts of the adapter that need no plugin of Packer's: its command line, problems of a configuration, its log.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { locateProblems } from "../../adapters/packer/config_problems.ts";
import {
  CommandError,
  readPluginCommand,
} from "../../adapters/packer/plugin_command.ts";
import { PromptUi } from "../../adapters/packer/prompt_ui.ts";
import { StderrRelay } from "../../adapters/packer/stderr_relay.ts";
import { ConfigError } from "../../plugin/contract/config_error.ts";
import { RecordingUi } from "../support/recording_ui.ts";

Deno.test("the command line has the command that starts a component", async () => {
  const started = async (
    words: string[],
    kind: "builder" | "provisioner" | "post-processor",
    name: string,
  ) => {
    const { path, argsFor } = await readPluginCommand(words);
    return [path, ...argsFor(kind, name)].join(" ");
  };
  assertEquals(
    await started(["/opt/packer-builder-x"], "builder", "any"),
    "/opt/packer-builder-x",
  );
  assertEquals(
    await started(["/bin/packer", "plugin"], "provisioner", "shell"),
    "/bin/packer plugin packer-provisioner-shell",
  );
  assertEquals(
    await started(
      ["packer", "execute", "packer-builder-file"],
      "builder",
      "mine",
    ),
    "packer execute packer-builder-file",
  );
  const multi = ["/p/packer-plugin-amazon_v1.3.4_x5.0_linux_amd64", "start"];
  assertEquals(
    await started(multi, "builder", "amazon-ebs"),
    `${multi[0]} start builder ebs`,
  );
  assertEquals(
    await started(["/p/packer-plugin-docker", "start"], "builder", "docker"),
    "/p/packer-plugin-docker start builder -packer-default-plugin-name-",
  );
  assertEquals(
    await started(
      ["/p/packer-plugin-docker", "start", "post-processor", "tag"],
      "post-processor",
      "any",
    ),
    "/p/packer-plugin-docker start post-processor tag",
  );
  for (const words of [[], ["/bin/true", "with", "arguments"], ["/nowhere"]]) {
    await assertRejects(() => readPluginCommand(words), CommandError);
  }
  await assertRejects(
    () => readPluginCommand(["/bin/echo"]),
    CommandError,
    '/bin/echo is no plugin of Packer\'s: "describe" printed "describe"',
  );
});

Deno.test("a list of problems is taken apart, and each is placed at the key that it names", () => {
  const config = { disk_size: "x", iso_url: "y", format: "z" };
  const located = (error: Error) =>
    (locateProblems(error, config) as ConfigError).problems;
  assertEquals(
    located(
      new Error(
        "3 errors occurred:\n\t* disk_size must be a number\n\t* 1 error occurred:\n\t* iso_url or format is wrong\n\n\n\t* something else\n  in two lines\n\n",
      ),
    ),
    [
      { path: ["disk_size"], message: "disk_size must be a number" },
      { path: [], message: "iso_url or format is wrong" },
      { path: [], message: "something else\n  in two lines" },
    ],
  );
  assertEquals(located(new Error("a text about format alone")), [
    { path: ["format"], message: "a text about format alone" },
  ]);
  const placed = new ConfigError([{ path: ["nonsense"], message: "unknown" }]);
  assertEquals(located(placed), placed.problems);
});

Deno.test("stderr is relayed in whole lines with their label, and the last ones are kept", async () => {
  const chunks = ["one\ntw", "o\n", "\n", "no end"];
  let written = "";
  const relay = new StderrRelay(
    ReadableStream.from(chunks.map((text) => new TextEncoder().encode(text))),
    "label: ",
    (bytes) => written += new TextDecoder().decode(bytes),
  );
  await relay.ended;
  assertEquals(written, "label: one\nlabel: two\nlabel: \nlabel: no end\n");
  assertEquals(relay.lastLines, ["one", "two", "", "no end"]);
});

Deno.test("a ui's calls are answered immediately until many are in flight, and stay in order", async () => {
  const noted = new RecordingUi();
  const gate = Promise.withResolvers<void>();
  const ui = new PromptUi(
    new Proxy(noted, {
      get: (target, key) =>
        key === "say"
          ? async (line: string) => {
            target.say(line);
            await gate.promise;
          }
          : Reflect.get(target, key),
    }),
  );
  let waiting: unknown;
  let count = 0;
  while (waiting === undefined) waiting = ui.say(`line ${count++}`);
  assert(count > 100 && count < 1000, `${count} were in flight`);
  gate.resolve();
  await waiting;
  assertEquals(
    noted.lines,
    Array.from({ length: count }, (_, index) => `say: line ${index}`),
  );
});
