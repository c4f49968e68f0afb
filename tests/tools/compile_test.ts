// deno task compile: which executables there are, what they may do, and what is trusted as Deno's
// runtime base.

import { createHash } from "node:crypto";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { compile } from "../../tools/compile.ts";
import { pluginExecutable } from "../../tools/executables.ts";
import { downloadPinned, type Piece } from "../../tools/npm_runtime.ts";
import { permissionFlags } from "../../tools/permissions.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

Deno.test("compile() lists what there is when a name is unknown", async () => {
  const error = await assertRejects(
    () => compile(["builder-fil"]),
    TypeError,
    'did you mean "builder-file"?',
  );
  for (const name of ["baler,", "builder-null,", "post-processor-compress"]) {
    assertStringIncludes(error.message, name);
  }
  await assertRejects(
    () => compile(["baler"], { targets: ["sparc-sun-solaris"] }),
    TypeError,
    "aarch64-apple-darwin",
  );
});

Deno.test("pluginExecutable() reads the permissions from the folder's deno.json", async () => {
  await using folder = await TemporaryDirectory.make();
  const write = (config: unknown) =>
    Deno.writeTextFile(join(folder.path, "deno.json"), JSON.stringify(config));

  await write({
    compile: {
      permissions: {
        read: true,
        write: false,
        env: ["HOME", "A,B"],
        net: { allow: ["localhost:80"], deny: ["example.com"] },
        run: [],
      },
    },
  });
  assertEquals(await pluginExecutable(folder.path, "x"), {
    name: "x",
    entry: join(folder.path, "main.ts"),
    flags: [
      "--no-prompt",
      "--allow-read",
      "--allow-env=HOME,A,,B",
      "--allow-net=localhost:80",
      "--deny-net=example.com",
    ],
  });

  await write({ name: "no-permissions" });
  await assertRejects(
    () => pluginExecutable(folder.path, "x"),
    TypeError,
    'add "compile": {"permissions": {…}}',
  );
});

Deno.test("permissionFlags() refuses what is not a permission", () => {
  assertEquals(permissionFlags({}, "a"), ["--no-prompt"]);
  assertThrows(() => permissionFlags({ all: true }, "a"), TypeError, '"all"');
  assertThrows(() => permissionFlags({ read: "x" }, "a"), TypeError, "a: ");
  assertThrows(() => permissionFlags({ net: { but: 1 } }, "a"), TypeError);
  assertThrows(() => permissionFlags("all", "a"), TypeError);
});

Deno.test("compile() makes an executable with only the permissions given, once", async () => {
  await using folder = await TemporaryDirectory.make();
  const entry = join(folder.path, "main.ts");
  const part = join(folder.path, "part.ts");
  await Deno.writeTextFile(
    entry,
    `import { greeting } from "./part.ts";
     console.log(greeting);
     const { state } = Deno.permissions.querySync({ name: "env", variable: "PATH" });
     console.log(state, Deno.env.get("HOME") !== undefined);
     await Deno.readTextFile(Deno.execPath());`,
  );
  await Deno.writeTextFile(part, `export const greeting = "hello";`);
  const flags = permissionFlags({ env: ["HOME"] }, "test");
  const lines: string[] = [];
  const make = async () => {
    const made = await compile([{ name: "greeter", entry, flags }], {
      out: join(folder.path, "out"),
      say: (line) => lines.push(line),
    });
    assertEquals(made.length, 1);
    return made[0]!;
  };

  const first = await make();
  assertEquals(first.reused, false, lines.join("\n"));
  // Nothing of the making stays behind but a note of what it was made from.
  const left = await Array.fromAsync(Deno.readDir(join(folder.path, "out")));
  assertEquals(left.map((item) => item.name).sort(), [
    ".made",
    first.path.slice(join(folder.path, "out/").length),
  ]);
  const ran = await run(first.path);
  assertEquals(ran.stdout, "hello\nprompt true\n");
  assertStringIncludes(ran.stderr, "NotCapable");
  assertEquals(ran.code, 1);

  assertEquals((await make()).reused, true, lines.join("\n"));

  await Deno.writeTextFile(part, `export const greeting = "good morning";`);
  assertEquals((await make()).reused, false, lines.join("\n"));
  assertStringIncludes((await run(first.path)).stdout, "good morning");
});

Deno.test("compile() shows the program's own error, and does not look for another Deno", async () => {
  await using folder = await TemporaryDirectory.make();
  const entry = join(folder.path, "main.ts");
  await Deno.writeTextFile(entry, `const n: number = "one"; console.log(n);`);
  const lines: string[] = [];
  const error = await assertRejects(
    () =>
      compile([{ name: "wrong", entry, flags: [] }], {
        out: folder.path,
        say: (line) => lines.push(line),
      }),
    AggregateError,
  );
  assertStringIncludes(error.message, entry);
  assertStringIncludes(error.message, "TS2322");
  assert(!error.message.includes("Stack backtrace"), error.message);
  assertEquals(lines, []);
  await assertRejects(() => Deno.stat(join(folder.path, "wrong")));
});

Deno.test("obtain() keeps the start of a file from a package when its sha256 is right", async () => {
  await using folder = await TemporaryDirectory.make();
  const content = new Uint8Array(200_000).map((_, index) => index % 251);
  const tarball = await pack(folder.path, content);
  const wanted = content.subarray(0, 150_001);
  const piece: Piece = {
    package: "a@1.0.0",
    file: "package/program",
    bytes: wanted.length,
    sha256: createHash("sha256").update(wanted).digest("hex"),
  };
  let packed = 0;
  const fromTarball = () => (packed++, Promise.resolve(tarball));
  const path = join(folder.path, "cache", "program");

  // Two runs may race for the same place.
  await Promise.all([
    downloadPinned(piece, path, fromTarball),
    downloadPinned(piece, path, fromTarball),
  ]);
  assertEquals(await Deno.readFile(path), wanted);
  const { mode } = await Deno.stat(path);
  if (mode !== null) assertEquals(mode & 0o111, 0o111);

  packed = 0;
  await downloadPinned(piece, path, fromTarball);
  assertEquals(packed, 0);

  await Deno.writeTextFile(path, "harmed");
  await downloadPinned(piece, path, fromTarball);
  assertEquals(packed, 1);
  assertEquals(await Deno.readFile(path), wanted);
});

Deno.test("obtain() refuses a file whose sha256 is wrong, and leaves nothing behind", async () => {
  await using folder = await TemporaryDirectory.make();
  const tarball = await pack(folder.path, new Uint8Array(1000));
  const cache = join(folder.path, "cache");
  const piece: Piece = {
    package: "a@1.0.0",
    file: "package/program",
    bytes: 1000,
    sha256: "0".repeat(64),
  };
  await assertRejects(
    () =>
      downloadPinned(
        piece,
        join(cache, "program"),
        () => Promise.resolve(tarball),
      ),
    Error,
    "package/program of the npm package a@1.0.0 has the sha256 541b3e9d",
  );
  assertEquals(await Array.fromAsync(Deno.readDir(cache)), []);

  await assertRejects(
    () =>
      downloadPinned(
        { ...piece, file: "package/other" },
        join(cache, "program"),
        () => Promise.resolve(tarball),
      ),
    Error,
    "there is no file package/other",
  );
  assertEquals(await Array.fromAsync(Deno.readDir(cache)), []);
});

// A tarball such as npm makes, with the program behind another file.
async function pack(folder: string, program: Uint8Array): Promise<string> {
  await Deno.mkdir(join(folder, "package"));
  await Deno.writeTextFile(join(folder, "package", "about"), "x".repeat(700));
  await Deno.writeFile(join(folder, "package", "program"), program);
  const { success } = await new Deno.Command("tar", {
    args: ["-czf", "a.tgz", "package/about", "package/program"],
    cwd: folder,
  }).output();
  assert(success);
  return join(folder, "a.tgz");
}

async function run(
  path: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(path, {
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}
