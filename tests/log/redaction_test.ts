// The value of a sensitive variable does not appear in the log, on the screen, in an error or an event, in any encoding.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createLog, launch } from "../../host/mod.ts";
import { LogRelay } from "../../host/log/log_relay.ts";
import { Redactor } from "../../host/log/redactor.ts";
import {
  GREETING,
  HELLO,
  Recorder,
  testPosix,
} from "../support/plugin_process.ts";
import { fixturePlugin, forEachHost } from "../support/harness.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { failure } from "../support/failure.ts";
import { workingTime } from "../support/working_time.ts";

function redactorOf(...values: string[]): Redactor {
  const redactor = new Redactor();
  redactor.add(values);
  return redactor;
}

const SECRET = "pä ss/w\"ord+<1>&$'x'";
const utf8 = (text: string) =>
  Array.from(
    new TextEncoder().encode(text),
    (byte) => String.fromCharCode(byte),
  ).join("");
const base64 = (text: string) => btoa(utf8(text));

const written: Record<string, string> = {
  "as it is": SECRET,
  "in a URL": encodeURIComponent(SECRET),
  "in a URL with small letters": encodeURIComponent(SECRET).replace(
    /%../g,
    (code) => code.toLowerCase(),
  ),
  "in a form": new URLSearchParams({ "": SECRET }).toString().slice(1),
  "in a URL's path": new URL(`file:///${SECRET}`).pathname.slice(1),
  "in JSON": JSON.stringify(SECRET).slice(1, -1),
  "in JSON in JSON": JSON.stringify(JSON.stringify(SECRET)).slice(3, -3),
  "in JSON as Go writes it": JSON.stringify(SECRET).slice(1, -1)
    .replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`),
  "in JSON as Python writes it": JSON.stringify(SECRET).slice(1, -1)
    .replace("ä", "\\u00e4"),
  "with backslashes for a shell": SECRET.replace(/[^a-z0-9ä]/g, "\\$&"),
};

for (const [how, text] of Object.entries(written)) {
  Deno.test(`a secret is not seen ${how}`, () => {
    const { redact } = redactorOf(SECRET);
    assertEquals(redact(`<${text}>`), "<<sensitive>>");
    assertEquals(redact(`${text}\n${text}`), "<sensitive>\n<sensitive>");
  });
}

Deno.test("a secret is redacted in base64, wherever it is in the encoded text", () => {
  for (const secret of [SECRET, "hunter2", "subjects?_d=~~~", "?>?>?>?>"]) {
    const { redact } = redactorOf(secret);
    assertEquals(redact(base64(secret)), "<sensitive>");
    for (const before of ["", "a", "ab", "abc", "admin:"]) {
      for (const after of ["", "\n", "xy", "xyz"]) {
        const text = base64(before + secret + after);
        for (
          const one of [
            text,
            text.replaceAll("+", "-").replaceAll("/", "_"),
          ]
        ) {
          const seen = redact(one);
          assertStringIncludes(seen, "<sensitive>");
          const kept = seen.replaceAll("<sensitive>", "");
          // Two characters at each end may depend on the text around it.
          assert(
            kept.length <= base64(before).length + base64(after).length + 8,
            `${seen} of ${one}`,
          );
        }
      }
    }
  }
});

Deno.test("each line of a secret is a secret, and so is the trimmed value", () => {
  const { redact } = redactorOf("-----BEGIN-----\nMIIB/+x\r\n}\n", " padded\n");
  assertEquals(
    redact("    -----BEGIN-----\n    MIIB/+x\n    }\npadded"),
    "    <sensitive>\n    <sensitive>\n    }\n<sensitive>",
  );
});

Deno.test("a secret that is part of another secret, or of the replacement, is handled", () => {
  const { redact } = redactorOf("pass", "password", "p@ss", "s", "en", "+");
  assertEquals(
    redact("password pass p%40ss then +"),
    "<sensitive> <sensitive> <sensitive> th<sensitive> <sensitive>",
  );
});

Deno.test("a part of a secret is redacted where a text was cut off", () => {
  const secret = "correct horse battery staple";
  const { redact } = redactorOf(secret);
  for (
    const [text, seen] of [
      ["login correct horse ba...", "login <sensitive>..."],
      [
        'got "correct horse ba"... (900 characters)',
        'got "<sensitive>"... (900 characters)',
      ],
      ["got correct horse ba ...", "got <sensitive> ..."],
      ["got correct horse…", "got <sensitive>…"],
      ["...ttery staple and more", "...<sensitive> and more"],
      ["...staple...correct horse...", "...staple...<sensitive>..."],
      ["correct horse and cart...", "correct horse and cart..."],
      [
        `url=${encodeURIComponent(secret).slice(0, 12)}...`,
        "url=<sensitive>...",
      ],
      [`${base64(secret).slice(0, 20)}...`, "<sensitive>..."],
    ] as const
  ) assertEquals(redact(text), seen);
  assertEquals(
    redact("login correct ho", { after: true }),
    "login <sensitive>",
  );
  assertEquals(redact("login correct ho"), "login correct ho");
  assertEquals(redact("ry staple", { before: true }), "<sensitive>");
  assertEquals(redact("ry staple"), "ry staple");
  // Redaction is idempotent, whatever the secret is.
  const again = redactorOf("sens", "sensitive", "<sensitive>");
  assertEquals(again.redact(again.redact("sens")), "<sensitive>");
});

Deno.test("a part of a long secret is found in time linear in the text", () => {
  const { redact } = redactorOf("a".repeat(50_000), `${"ab".repeat(20_000)}c`);
  const start = workingTime();
  redact(`${"ab".repeat(500_000)}...`, { before: true, after: true });
  redact("...".repeat(300_000));
  assert(workingTime() - start < 20_000);
});

testPosix(
  "a secret is redacted in the last lines of a plugin where they are cut off",
  async () => {
    const secrets = Array.from(
      { length: 1_000 },
      (_, index) => `secret-value-${index};`,
    );
    const { redact } = redactorOf(...secrets);
    // Redaction shortens each of them, so that text that would be cut off is shown.
    const line = secrets.join("").repeat(3);
    const relay = new LogRelay("plugin", { write() {}, redact });
    for (let cut = 0; cut < 30; cut++) {
      relay.push(new TextEncoder().encode(`${"x".repeat(cut)}${line}\n`));
    }
    for (const one of relay.lastLines) {
      assert(!one.includes("secret"), one);
    }
    await Promise.resolve();
  },
);

forEachHost(
  "a secret is redacted where the output of a command is split into lines",
  async (bench) => {
    const secret = Array.from(
      { length: 2_000 },
      (_, index) => `${index.toString(36)}.`,
    ).join("");
    await bench.write("t.json", {
      variables: { secret },
      "sensitive-variables": ["secret"],
      builders: [{ type: "null", communicator: "none" }],
      provisioners: [{
        type: "shell-local",
        inline: [
          // A line of 256 Ki characters is shown in parts.
          `head -c 260000 /dev/zero | tr '\\0' x; printf '%s' '{{user \`secret\`}}'; echo end`,
        ],
      }],
    });
    const { output } = await bench.succeeds(["build", "t.json"], {
      env: { BALER_LOG: "1" },
    });
    for (let at = 0; at + 12 <= secret.length; at += 7) {
      const part = secret.slice(at, at + 12);
      assert(!output.includes(part), part);
    }
    assertStringIncludes(output, "<sensitive>");
    assertStringIncludes(output, "end");
  },
);

Deno.test("a text without a secret is not changed", () => {
  const { redact } = redactorOf(SECRET, "hunter2");
  for (
    const text of ["", "hunter 2", "100 % of 1+1 \\ \u{10fffd}", "pä%20ss"]
  ) {
    assertEquals(redact(text), text);
  }
  assert(!new Redactor().hasSecrets);
  assert(!redactorOf("").hasSecrets);
  assertEquals(redactorOf("").redact("text"), "text");
});

Deno.test("values of any length and content are redacted", () => {
  const lines = Array.from({ length: 5_000 }, (_, at) => `line (${at}) of it`);
  const values = [
    "x+".repeat(100_000),
    lines.join("\n"),
    "\\".repeat(900),
    "\ud800 half",
    "(a+)+$",
    "\0\x1b[2J",
    " ",
  ];
  for (const value of values) {
    const { redact } = redactorOf(value);
    assertEquals(redact(`before:${value}:after`), "before:<sensitive>:after");
  }
  const { redact } = redactorOf(`${"\\".repeat(900)}"x`);
  const begin = workingTime();
  redact("\\".repeat(20_000));
  assert(workingTime() - begin < 5_000, "a pattern goes astray");
});

testPosix("a secret in two pieces is not in the log", async () => {
  await using directory = await TemporaryDirectory.make();
  const record = new Recorder();
  const { redact } = redactorOf("hunter2", "größe");
  const log = createLog({ targets: [record], redact });
  const next =
    "printf '%s\\n' '{\"json\":{\"return\":'$((n += 1))'}}'; read -r call";
  const path = await directory.script(
    "plugin",
    ...GREETING,
    "n=1",
    "read -r call",
    `printf 'it is hun' >&2; ${next}`,
    `printf 'ter2, or gr\\303' >&2; ${next}`,
    `printf '\\266\\303' >&2; ${next}`,
    `printf '\\237e\\377\\n\\376 as it is\\nend\\n' >&2; ${next}`,
  );
  await using plugin = await launch(path, { log, name: "p" });
  const thing = await plugin.create<{ work(): Promise<void> }>("thing", "any");
  for (let piece = 0; piece < 4; piece++) await thing.work();
  await record.contains("end\n");
  assertStringIncludes(
    record.text,
    " p: it is <sensitive>, or <sensitive>\ufffd\n",
  );
  // A line without secrets is relayed unchanged.
  const bytes = Array.from(record.bytes, (byte) => String.fromCharCode(byte));
  assertStringIncludes(bytes.join(""), " p: \xfe as it is\n");
});

testPosix(
  "a line without end is split before it fills the memory, but no secret is",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const record = new Recorder();
    const { redact } = redactorOf("hunter2secret");
    const log = createLog({ targets: [record], redact });
    const path = await directory.script(
      "plugin",
      HELLO,
      "read -r welcome",
      "yes hunter2secret | head -c 20000000 | tr -d '\\n' >&2",
      "echo >&2",
      "head -c 20000000 /dev/zero | tr '\\0' x >&2",
    );
    const plugin = await launch(path, { log, name: "p" });
    await plugin.close();
    const [started, ...lines] = record.lines.map((line) =>
      line.split(" p: ")[1]!
    );
    assertEquals(started, "Plugin started");
    const longest = Math.max(...lines.map((line) => line.length));
    assert(longest < 17 * 2 ** 20, `${longest} bytes in a line`);
    const text = lines.join("");
    const secrets = Math.floor(20_000_000 / 14);
    const rest = "hunter2secret".slice(0, 20_000_000 % 14);
    assert(
      text ===
        `${"<sensitive>".repeat(secrets)}${rest}${"x".repeat(20_000_000)}`,
      "something else is in the log",
    );
  },
);

testPosix(
  "the last lines of a plugin contain no secret, not even a part of it",
  async () => {
    await using directory = await TemporaryDirectory.make();
    const path = await directory.script(
      "plugin",
      ...GREETING,
      "read -r call",
      'printf "%1995s" "" >&2',
      "echo 'hunter2 and more' >&2",
      "printf 'the end: \\033[1mhunter\\033[0m2' >&2",
      "exit 4",
    );
    const { redact } = redactorOf("hunter2");
    await using plugin = await launch(path, { log: { write() {}, redact } });
    const thing = await plugin.create<{ work(): Promise<void> }>(
      "thing",
      "any",
    );
    const { message } = await failure(thing.work());
    assert(!message.includes("hunt"), message);
    assertStringIncludes(message, "the end: <sensitive>");
  },
);

const password = 'hunter2 is "the" pass/wörd\nof+2 lines';

forEachHost(
  "a sensitive value that a plugin outputs in every way is redacted everywhere",
  async (bench) => {
    const template = (end: string) => ({
      variables: { password },
      "sensitive-variables": ["password"],
      builders: {
        leaking: {
          plugin: fixturePlugin("secret_leak"),
          password: "{{user `password`}}",
          end,
        },
      },
    });
    const told = [
      ...password.split("\n"),
      // For each encoding, the part that does not depend on the surrounding text.
      "hunter",
      encodeURIComponent('"the" pass/wörd'),
      base64(`admin:${password}`).slice(10, -4),
    ];
    await bench.write("die.json", template("die"));
    await bench.write("fail.json", template("fail"));
    const runs: {
      args: string[];
      file: string;
      env: Record<string, string>;
    }[] = [
      { args: [], file: "die.json", env: {} },
      {
        args: [],
        file: "fail.json",
        env: { BALER_LOG: "1", BALER_LOG_PATH: bench.at("log") },
      },
      {
        args: ["-machine-readable"],
        file: "die.json",
        env: { BALER_LOG: "1" },
      },
    ];
    for (const { args, file, env } of runs) {
      const { code, output } = await bench.baler(
        ["build", "-color=false", ...args, file],
        { env },
      );
      assertEquals(code, 1, output);
      const log = "BALER_LOG_PATH" in env ? await bench.read("log") : "";
      for (const text of [output, log]) {
        for (const one of told) {
          assert(!text.includes(one), `${one} in ${text}`);
        }
      }
      assertStringIncludes(output, "say: <sensitive>");
      assertStringIncludes(output, 'error: {"password":"<sensitive>"}');
      assertStringIncludes(output, "message: https://admin:<sensitive>@host/");
      assertStringIncludes(output, "cannot log in with <sensitive>");
      if (log !== "") {
        assertStringIncludes(log, ": stderr: <sensitive>");
        assertStringIncludes(log, ": stdout: <sensitive>");
        assertStringIncludes(log, ": pieces: <sensitive>");
      }
      if (args.length > 0) assertStringIncludes(output, "machine: <sensitive>");
    }
  },
);

forEachHost(
  "a file that a build creates contains the real value, as in Packer",
  async (bench) => {
    await bench.builds({
      variables: { password: "hunter2" },
      "sensitive-variables": ["password"],
      builders: [{
        type: "file",
        content: "x",
        target: "x-{{user `password`}}",
      }],
      "post-processors": [{
        type: "manifest",
        output: "manifest.json",
        custom_data: { password: "{{user `password`}}" },
      }],
    });
    const [build] = JSON.parse(await bench.read("manifest.json")).builds;
    assertEquals(build.files[0].name, "x-hunter2");
    assertEquals(build.custom_data, { password: "hunter2" });
  },
);
