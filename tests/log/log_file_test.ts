// A log that cannot be written does not stop the builds, and is reported once.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { createLog, launch, type LogTarget } from "../../host/mod.ts";
import { HELLO, Recorder, testPosix } from "../support/plugin_process.ts";
import { forEachHost } from "../support/harness.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { NOT_POSIX } from "../support/programs.ts";

const template = {
  builders: [{ type: "file", content: "x", target: "x.txt" }],
  provisioners: [{ type: "shell-local", inline: ["echo provisioned"] }],
};

testPosix(
  "a target whose writes fail gets no more lines, and the others get all",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const file = new Recorder();
    let writes = 0;
    const full: LogTarget = {
      writeSync: (bytes) => {
        writes++;
        if (writes === 1) return Math.min(5, bytes.length);
        throw new Error("No space left on device");
      },
      isTerminal: () => false,
    };
    const failures: [LogTarget, string][] = [];
    const log = createLog({
      targets: [full, file],
      onFailure: (target, error) => failures.push([target, String(error)]),
    });
    const path = await directory.script(
      "plugin",
      HELLO,
      "seq 1 100000 >&2",
      "cat",
    );
    const plugin = await launch(path, { log, name: "p" });
    await plugin.close();
    assertEquals(writes, 2);
    assertEquals(failures, [[full, "Error: No space left on device"]]);
    assertEquals(
      file.lines.filter((line) => /: \d+$/.test(line)).length,
      100_000,
    );
  },
);

/** A shell script that mounts a small disk which only its command sees, and prints how full it was. */
const ON_A_SMALL_DISK = [
  "unshare",
  "-rm",
  "sh",
  "-c",
  `mount -t tmpfs -o size=64k none disk && "$@"
code=$?; wc -c <disk/log >size; exit $code`,
  "sh",
];

async function whyNoDisk(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "there is no tmpfs";
  const { success } = await new Deno.Command("unshare", {
    args: ["-rm", "mount", "-t", "tmpfs", "none", "/tmp"],
  }).output().catch(() => ({ success: false }));
  return success ? undefined : "mounting is not permitted";
}

forEachHost(
  "a build continues when the disk of its log file is full",
  async (bench) => {
    await Deno.mkdir(bench.at("disk"));
    const { stdout, stderr } = await bench.builds(
      {
        ...template,
        provisioners: [{
          type: "shell-local",
          inline: ["seq -f %0200g 1 500", "echo provisioned"],
        }],
      },
      [],
      {
        env: { BALER_LOG: "1", BALER_LOG_PATH: "disk/log" },
        through: ON_A_SMALL_DISK,
      },
    );
    assertStringIncludes(stdout, "file: provisioned");
    assertEquals(await bench.read("size"), `${64 * 1024}\n`);
    const told = stderr.match(/^.*disk\/log.*$/gm);
    assertEquals(told, [
      "Cannot write to the log file disk/log (BALER_LOG_PATH): No space left on device (os error 28). Logging to this file stops; the build continues.",
    ]);
    // Logging to the other targets continues.
    assertStringIncludes(stderr, "ui: --> file: Stored file: x.txt");
  },
  { ignore: await whyNoDisk() },
);

/** Opens a FIFO for reading and writing, so that the open does not block; it has no reader. */
const UNREAD_STDERR = [
  "bash",
  "-c",
  'mkfifo gone; exec 3<>gone 4>gone 3>&-; exec "$@" 2>&4 4>&-',
  "bash",
];

forEachHost(
  "a build and its log file continue when stderr has no reader",
  async (bench) => {
    const { stdout } = await bench.builds(template, [], {
      env: { BALER_LOG: "1", BALER_LOG_PATH: bench.at("log") },
      through: UNREAD_STDERR,
    });
    assertStringIncludes(stdout, "file: provisioned");
    assertStringIncludes(
      await bench.read("log"),
      "ui: --> file: Stored file: x.txt",
    );
  },
  { ignore: NOT_POSIX },
);

forEachHost(
  "a log file that cannot be opened is reported before anything is built",
  async (bench) => {
    await bench.write("template.json", template);
    for (
      const [BALER_LOG_PATH, why] of [
        [".", "directory"],
        ["/proc/log", "Deno does not open files in /dev, /proc and /sys"],
      ]
    ) {
      const { code, output } = await bench.baler(["build", "template.json"], {
        env: { BALER_LOG: "1", BALER_LOG_PATH: BALER_LOG_PATH! },
      });
      assertEquals(code, 1, output);
      assertStringIncludes(
        output,
        `cannot open the log file ${BALER_LOG_PATH} (BALER_LOG_PATH): `,
      );
      assertStringIncludes(output, why!);
    }
    assertEquals(await bench.names(), ["template.json"]);
  },
);

forEachHost(
  "a log file is readable only by its user",
  async (bench) => {
    await bench.builds(template, [], {
      env: { BALER_LOG: "1", BALER_LOG_PATH: bench.at("log") },
    });
    const { mode } = await Deno.stat(bench.at("log"));
    assertEquals(mode! & 0o777, 0o600);
  },
  { ignore: NOT_POSIX },
);
