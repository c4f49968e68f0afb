// The kit for tests of components: what a component does is seen in the same way whether it runs in the
// test's process or over the wire, from source.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { fromFileUrl } from "@std/path";
import { ConfigError, HOOK_PROVISION } from "../../mod.ts";
import {
  MemoryCommunicator,
  PluginProgram,
  RecordingHook,
  RecordingUi,
  testBuilder,
  testPostProcessor,
  testProvisioner,
} from "@baler/baler/testing";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { failure } from "../support/failure.ts";
import { Mirror, Motd, Sign } from "./components.ts";

const PROGRAM = new PluginProgram([
  Deno.execPath(),
  "run",
  "--quiet",
  "--no-prompt",
  "--allow-all",
  fromFileUrl(new URL("main.ts", import.meta.url)),
]);

for (
  const [where, mirror, motd, sign] of [
    ["in the test's process", Mirror, Motd, Sign],
    ["over the wire", PROGRAM, PROGRAM, PROGRAM],
  ] as const
) {
  Deno.test(`a builder runs ${where}, with provisioners that are objects`, async () => {
    await using directory = await TemporaryDirectory.make();
    const file = `${directory.path}/image`;
    await using builder = await testBuilder(mirror, {
      config: { file, size: "3" },
      build: { name: "one" },
    });
    assertEquals(builder.generatedData, ["ID"]);
    assertEquals(builder.warnings, ["size is small"]);
    const seen: unknown[] = [];
    const hook = new RecordingHook([{
      provision: async ({ ui, data, communicator }) => {
        seen.push(data.ID);
        await ui.say("provisioning");
        await communicator!.upload({
          path: "/in",
          source: new Blob(["abc"]).stream(),
        });
      },
    }]);
    const artifact = await builder.run({ hook });
    assertEquals(seen, ["i-one"]);
    assertEquals(hook.calls.map(({ name }) => name), [HOOK_PROVISION]);
    assertEquals(builder.ui.lines, ["say: building 3", "say: provisioning"]);
    assertEquals(artifact?.files, [file]);
    assertEquals(await Deno.readTextFile(file), "abc");
    await artifact!.destroy();
    assertEquals([...Deno.readDirSync(directory.path)], []);
  });

  Deno.test(`a configuration that is not valid is refused ${where}`, async () => {
    const error = await failure(testBuilder(mirror, { config: { sise: 1 } }));
    assert(error instanceof ConfigError || error.name === "ConfigError");
    assertStringIncludes(error.message, `"size"`);
    assertStringIncludes(error.message, `"file" must be given`);
  });

  Deno.test(`a builder is cancelled ${where}`, async () => {
    await using builder = await testBuilder(mirror, {
      config: { file: "unused" },
    });
    const controller = new AbortController();
    const hook = new RecordingHook([{
      provision({ signal }) {
        const { promise, reject } = Promise.withResolvers<void>();
        signal.addEventListener("abort", () => reject(signal.reason));
        controller.abort(new Error("enough"));
        return promise;
      },
    }]);
    await assertRejects(
      () => builder.run({ hook, signal: controller.signal }),
      Error,
      "enough",
    );
  });

  Deno.test(`a provisioner runs ${where}, on a machine in memory`, async () => {
    const ui = new RecordingUi(["Ada"]);
    await using provisioner = await testProvisioner(motd, { ui });
    const machine = await provisioner.provision({
      communicator: new MemoryCommunicator((command, stdin) =>
        command === "rev" ? { stdout: [...stdin].reverse().join("") } : {
          code: 3,
          stderr: "no such command\n",
        }
      ),
    });
    assertEquals(machine.text("/etc/motd"), "Hello Ada");
    assertEquals(machine.files.get("/etc/motd")!.mode, 0o600);
    assertEquals(machine.commands, ["rev", "reboot"]);
    assertEquals(ui.lines, ["ask: Who?", "message: cba", "error: exit code 3"]);
    // Nobody answers a second time.
    const error = await failure(provisioner.provision());
    assertStringIncludes(error.message, "no available tty");
  });

  Deno.test(`a post-processor runs ${where}`, async () => {
    await using processor = await testPostProcessor(sign, {
      config: { key: "k" },
    });
    const result = await processor.postProcess({
      artifact: {
        builderId: "test",
        id: "i-1",
        files: [],
        destroy() {},
        toString: () => "the input",
      },
    });
    assertEquals(result.keep, true);
    assertEquals(result.artifact?.id, "i-1 signed with k");
  });
}

Deno.test("a plugin that exits with an error while it shuts down fails the test", async () => {
  const builder = await testBuilder(
    new PluginProgram(PROGRAM.command, {
      env: { ...Deno.env.toObject(), EXIT_CODE: "3" },
    }),
    { config: { file: "unused" } },
  );
  const error = await failure(builder[Symbol.asyncDispose]());
  assertStringIncludes(error.message, "exited with code 3");
});

Deno.test("MemoryCommunicator copies directories by the rule of the trailing slash", async () => {
  await using directory = await TemporaryDirectory.make();
  await Deno.mkdir(`${directory.path}/from/sub`, { recursive: true });
  await directory.write("from/a", "1", 0o640);
  await directory.write("from/sub/b", "2");
  await directory.write("from/c", "3");
  const machine = new MemoryCommunicator();
  const source = `${directory.path}/from`;
  await machine.uploadDir({ source, destination: "/x", exclude: ["c"] });
  assertEquals([...machine.files.keys()].sort(), [
    "/x/from/a",
    "/x/from/sub/b",
  ]);
  assertEquals(machine.files.get("/x/from/a")!.mode, 0o640);
  await machine.uploadDir({ source: `${source}/`, destination: "/y" });
  assertEquals(machine.text("/y/sub/b"), "2");
  await machine.downloadDir({
    source: "/y/",
    destination: `${directory.path}/back`,
  });
  assertEquals(await Deno.readTextFile(`${directory.path}/back/sub/b`), "2");
  await assertRejects(
    async () =>
      await machine.upload({
        path: "/y/a",
        source: new Blob(["x"]).stream(),
        exclusive: true,
      }),
    Error,
    "exists already",
  );
  await assertRejects(
    async () =>
      await machine.upload({
        path: "/z",
        source: new Blob(["x"]).stream(),
        size: 2,
      }),
    Error,
    "1 bytes came, 2 were announced",
  );
});
