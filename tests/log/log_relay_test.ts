// The log contains every byte that a plugin writes to stderr, in whole lines with the plugin's path, and without control characters on a terminal.

import { createHash } from "node:crypto";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { createLog, launch, type LogTarget } from "../../host/mod.ts";
import {
  GREETING,
  HELLO,
  READ_CALL,
  Recorder,
  testPosix,
} from "../support/plugin_process.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { failure } from "../support/failure.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** Runs a plugin that is a shell script; returns its log without the host's own lines. */
async function logged(
  name: string,
  record: Recorder,
  ...lines: string[]
): Promise<{ path: string; lastLines: string[] }> {
  await using directory = await TemporaryDirectory.make();
  const path = await directory.script(name, HELLO, "read -r welcome", ...lines);
  const plugin = await launch(path, { log: record.log });
  await plugin.close();
  return { path, lastLines: plugin.lastLines };
}

/** Returns the bytes of each line of one writer, without its prefix and without the host's own lines. */
function written(record: Recorder, path: string): Uint8Array[] {
  const prefix = encode(`2013/06/10 21:44:43 ${path}: `);
  const bytes = record.bytes;
  assertEquals(bytes.at(-1), 10);
  const lines: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(10, at);
    assertEquals(bytes.subarray(at, at + prefix.length), prefix);
    lines.push(bytes.subarray(at + prefix.length, end));
    at = end + 1;
  }
  const started = lines.shift();
  assertEquals(new TextDecoder().decode(started), "Plugin started");
  return lines;
}

/** Returns the shell command that writes bytes to stderr. */
function writes(bytes: Uint8Array): string {
  const octal = Array.from(
    bytes,
    (byte) => `\\${byte.toString(8).padStart(3, "0")}`,
  );
  return `printf '${octal.join("")}' >&2`;
}

testPosix("a line in the log has the time and the plugin's path", async () => {
  const record = new Recorder();
  const { path } = await logged("größe", record, "echo 'Hello: there' >&2");
  assertEquals(record.lines, [
    `2013/06/10 21:44:43 ${path}: Plugin started`,
    `2013/06/10 21:44:43 ${path}: Hello: there`,
  ]);
});

testPosix(
  "the time in the log is local and zero-padded",
  async () => {
    const record = new Recorder();
    const now = () => new Date(2024, 0, 2, 3, 4, 5);
    createLog({ targets: [record], now }).write("ui", ["one", "two"]);
    assertEquals(
      record.text,
      "2024/01/02 03:04:05 ui: one\n2024/01/02 03:04:05 ui: two\n",
    );
    const before = new Recorder();
    createLog({ targets: [before] }).write("ui", ["now"]);
    assertMatch(before.text, /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d ui: now\n$/);
    await Promise.resolve();
  },
);

testPosix(
  "a plugin is logged under its name",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const record = new Recorder();
    const path = await directory.script(
      "plugin",
      "echo hello >&2",
      HELLO,
      "cat",
    );
    const plugin = await launch(path, {
      log: record.log,
      name: "baler-builder-file",
    });
    await plugin.close();
    assert(record.text.includes(" baler-builder-file: hello\n"));
    assert(!record.text.includes(path));
  },
);

const bytesOf: Record<string, Uint8Array> = {
  "carriage returns": encode("10%\r20%\rdone\r"),
  "NULs": encode("a\0b\0"),
  "escape codes": encode("\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J"),
  "invalid UTF-8": Uint8Array.of(0xff, 0xfe, 0x41, 0xc3, 0x28, 0xe2, 0x82),
  "an empty line": new Uint8Array(0),
  "blanks at both ends": encode("  \t text \t "),
  "a byte order mark": Uint8Array.of(0xef, 0xbb, 0xbf, 0x41),
  "what looks like a line of the log": encode("2013/06/10 21:44:43 ui: x"),
};

for (const [what, bytes] of Object.entries(bytesOf)) {
  testPosix(`${what} in a line are kept byte for byte in a file`, async () => {
    const record = new Recorder();
    const { path } = await logged(
      "plugin",
      record,
      writes(bytes),
      "echo >&2",
      "echo after >&2",
    );
    assertEquals(written(record, path), [bytes, encode("after")]);
  });
}

testPosix(
  "control characters of a plugin's output do not reach a terminal",
  async () => {
    const record = new Recorder(true);
    const { path } = await logged(
      "plugin",
      record,
      ...Object.values(bytesOf).flatMap((bytes) => [writes(bytes), "echo >&2"]),
      writes(
        Uint8Array.of(0xc2, 0x9b, 0x33, 0x31, 0x6d, 0x9b, 0x7f, 8, 11, 12),
      ),
      "echo >&2",
      "echo 'größe 日本 💡\ttab' >&2",
    );
    const lines = record.lines;
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x08\x0b-\x1f\x7f-\x9f]/.test(record.text));
    for (const line of lines) assertStringIncludes(line, ` ${path}: `);
    assertEquals(lines.length, 1 + Object.keys(bytesOf).length + 2);
    const shown = (text: string) => lines.some((line) => line.includes(text));
    for (
      const text of ["10%", "20%", "done", "[31mred", "größe 日本 💡\ttab"]
    ) {
      assert(shown(text), text);
    }
  },
);

testPosix(
  "control characters of a plugin's path do not reach a terminal",
  async () => {
    const record = new Recorder(true);
    await logged("es\x1b[31mcape", record, "echo hello >&2");
    assert(!record.text.includes("\x1b"));
  },
);

testPosix(
  "a line without a line end is written when the plugin exits",
  async () => {
    const record = new Recorder();
    const { path, lastLines } = await logged(
      "plugin",
      record,
      "printf 'one\\ntwo' >&2",
    );
    assertEquals(written(record, path), [encode("one"), encode("two")]);
    assertEquals(lastLines, ["one", "two"]);
  },
);

testPosix(
  "a character that arrives in pieces is whole in the log",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const record = new Recorder(true);
    const bytes = encode("größe 💡 日本");
    const path = await directory.script(
      "plugin",
      ...GREETING,
      ...Array.from(bytes, (byte, index) => [
        READ_CALL,
        writes(Uint8Array.of(byte)),
        `printf '%s\\n' '{"json":{"return":${index + 2}}}'`,
      ]).flat(),
      "echo >&2",
      "exec cat >/dev/null",
    );
    await using plugin = await launch(path, { log: record.log });
    const thing = await plugin.create<{ work(): Promise<void> }>(
      "thing",
      "any",
    );
    for (const _ of bytes) await thing.work();
    await record.contains("größe 💡 日本\n");
  },
);

testPosix("several plugins' lines stay whole and in order", async () => {
  await using directory = await TemporaryDirectory.make();
  const record = new Recorder();
  const writesLines = async (name: string) => {
    const path = await directory.script(
      name,
      HELLO,
      "read -r welcome",
      "i=0",
      "while [ $i -lt 300 ]; do",
      `  printf '${name} ' >&2; printf "line $i" >&2; printf ' of 300\\n' >&2`,
      "  i=$((i + 1))",
      "done",
    );
    const plugin = await launch(path, { log: record.log });
    await plugin.close();
    return path;
  };
  const names = ["one", "two", "three"];
  const paths = await Promise.all(names.map(writesLines));
  const seen = new Map(paths.map((path) => [path, [] as string[]]));
  for (const line of record.lines) {
    const match = /^2013\/06\/10 21:44:43 (\S+): (.*)$/.exec(line);
    if (match === null) throw new Error(`not a line of the log: ${line}`);
    seen.get(match[1]!)!.push(match[2]!);
  }
  for (const [index, name] of names.entries()) {
    assertEquals(
      seen.get(paths[index]!)!.slice(1),
      Array.from({ length: 300 }, (_, at) => `${name} line ${at} of 300`),
    );
  }
});

testPosix("a line of 10 MB is one line in the log", async () => {
  const record = new Recorder();
  const { path, lastLines } = await logged(
    "plugin",
    record,
    "head -c 10000000 /dev/zero | tr '\\0' x >&2; echo end >&2",
    "echo after >&2",
  );
  const lines = written(record, path);
  assertEquals(lines.length, 2);
  assertEquals(lines[0]!.length, 10_000_003);
  assert(lines[0]!.subarray(0, -3).every((byte) => byte === 120));
  assertEquals(lastLines.length, 2);
  assert(lastLines.join("").length < 100_000, "a last line is to be shown");
});

testPosix("the last 20 lines are kept for the error", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = await directory.script(
    "plugin",
    ...GREETING,
    "read -r call",
    'for i in $(seq 1 50); do echo "line $i" >&2; done',
    "printf 'the end' >&2",
    "exit 4",
  );
  await using plugin = await launch(path);
  const thing = await plugin.create<{ work(): Promise<void> }>("thing", "any");
  const { message } = await failure(thing.work());
  const expected = [
    ...Array.from({ length: 19 }, (_, index) => `line ${index + 32}`),
    "the end",
  ];
  assertEquals(plugin.lastLines, expected);
  for (const line of expected) assertStringIncludes(message, line);
  assert(!message.includes("line 31"), message);
});

testPosix("all output of a plugin before its death is in the log", async () => {
  await using directory = await TemporaryDirectory.make();
  const record = new Recorder();
  const path = await directory.script(
    "plugin",
    ...GREETING,
    "read -r call",
    "seq 1 100000 >&2",
    "exit 4",
  );
  await using plugin = await launch(path, { log: record.log });
  const thing = await plugin.create<{ work(): Promise<void> }>("thing", "any");
  await failure(thing.work());
  const lines = written(record, path).slice(0, 100_000);
  const text = lines.map((line) => new TextDecoder().decode(line)).join("\n");
  assertEquals(
    text,
    Array.from({ length: 100_000 }, (_, at) => at + 1).join("\n"),
  );
});

testPosix("sensitive values are not in the log", async () => {
  await using directory = await TemporaryDirectory.make();
  const record = new Recorder();
  const log = createLog({
    targets: [record],
    redact: (line) => line.replaceAll("hunter2", "<sensitive>"),
  });
  const path = await directory.script(
    "plugin",
    HELLO,
    "read -r welcome",
    "echo 'the password is hunter2.' >&2",
    "printf 'hun' >&2; printf 'ter2\\n' >&2",
    "printf '\\377hunter2\\n' >&2",
    "head -c 1000000 /dev/zero | tr '\\0' x >&2; echo hunter2 >&2",
    "printf hunter2 >&2",
  );
  const plugin = await launch(path, { log });
  await plugin.close();
  assert(!record.text.includes("hunter2"));
  assertEquals(record.text.split("<sensitive>").length, 1 + 5);
});

testPosix(
  "every target gets every line, however little it accepts per write",
  async () => {
    const file = new Recorder();
    const terminal = new Recorder(true);
    const slow: LogTarget = {
      writeSync: (bytes) => file.writeSync(bytes.subarray(0, 7)),
      isTerminal: () => false,
    };
    const log = createLog({
      targets: [slow, terminal],
      now: () => new Date(0),
    });
    const lines = Array.from({ length: 100 }, (_, at) => `line ${at}`);
    log.write("ui", lines);
    assertEquals(file.lines.map((line) => line.split("ui: ")[1]), lines);
    assertEquals(terminal.text, file.text);
    await Promise.resolve();
  },
);

testPosix(
  "64 MiB of log are relayed without loss",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const size = 64 * 2 ** 20;
    const line = "x".repeat(1_000);
    // Lines of different lengths, so that they end anywhere in a chunk.
    const awk = `BEGIN { for (i = 0; bytes < ${size}; i++) {
    s = i " " substr("${line}", 1, (i * 7919) % 1000); print s;
    bytes += length(s) + 1 } }`;
    const path = await directory.script(
      "plugin",
      HELLO,
      "read -r welcome",
      `awk '${awk}' >&2`,
    );
    const expected = createHash("sha256");
    let count = 0;
    for (let bytes = 0; bytes < size; count++) {
      const text = `${count} ${line.slice(0, (count * 7919) % 1000)}\n`;
      expected.update(text);
      bytes += text.length;
    }

    const file = await Deno.open(`${directory.path}/log`, {
      create: true,
      write: true,
    });
    const log = createLog({ targets: [file] });
    const plugin = await launch(path, { log });
    await plugin.close();
    file.close();

    const actual = createHash("sha256");
    const prefix = `0000/00/00 00:00:00 ${path}: `.length;
    const lines = (await Deno.readTextFile(`${directory.path}/log`)).split(
      "\n",
    );
    for (const one of lines.slice(1, -1)) {
      actual.update(`${one.slice(prefix)}\n`);
    }
    assertEquals(lines.length - 2, count);
    assertEquals(actual.digest("hex"), expected.digest("hex"));
  },
);
