// `deno task compile`: which executables it makes, with which permissions, and from which runtime base.

import { createHash } from "node:crypto";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join, relative } from "@std/path";
import { compile } from "../../tools/compile.ts";
import { pluginExecutable } from "../../tools/executables.ts";
import { downloadPinned, type Piece } from "../../tools/npm_runtime.ts";
import { permissionFlags } from "../../tools/permissions.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

Deno.test("compile() lists the known names when a name is unknown", async () => {
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

Deno.test("pluginExecutable() reads the permissions from the directory's deno.json", async () => {
  await using directory = await TemporaryDirectory.make();
  const write = (config: unknown) =>
    Deno.writeTextFile(
      join(directory.path, "deno.json"),
      JSON.stringify(config),
    );

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
  assertEquals(await pluginExecutable(directory.path, "x"), {
    name: "x",
    entry: join(directory.path, "main.ts"),
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
    () => pluginExecutable(directory.path, "x"),
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
  await using directory = await TemporaryDirectory.make();
  const entry = join(directory.path, "main.ts");
  const part = join(directory.path, "part.ts");
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
      out: join(directory.path, "out"),
      say: (line) => lines.push(line),
    });
    assertEquals(made.length, 1);
    return made[0]!;
  };

  const first = await make();
  assertEquals(first.reused, false, lines.join("\n"));
  // No temporary file is left except the record of the inputs.
  const left = await Array.fromAsync(Deno.readDir(join(directory.path, "out")));
  assertEquals(left.map((item) => item.name).sort(), [
    ".made",
    first.path.slice(join(directory.path, "out/").length),
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

Deno.test("compile() shows the program's own error, and does not try another Deno", async () => {
  await using directory = await TemporaryDirectory.make();
  const entry = join(directory.path, "main.ts");
  await Deno.writeTextFile(entry, `const n: number = "one"; console.log(n);`);
  const lines: string[] = [];
  const error = await assertRejects(
    () =>
      compile([{ name: "wrong", entry, flags: [] }], {
        out: directory.path,
        say: (line) => lines.push(line),
      }),
    AggregateError,
  );
  assertStringIncludes(error.message, entry);
  assertStringIncludes(error.message, "TS2322");
  assert(!error.message.includes("Stack backtrace"), error.message);
  assertEquals(lines, []);
  await assertRejects(() => Deno.stat(join(directory.path, "wrong")));
});

Deno.test("compile() embeds what compile.include names, and recompiles when it changes", async () => {
  await using directory = await TemporaryDirectory.make();
  const file = async (name: string, content: string) => {
    await Deno.mkdir(join(directory.path, "plugin", "assets"), {
      recursive: true,
    });
    await Deno.writeTextFile(join(directory.path, "plugin", name), content);
  };
  await file(
    "deno.jsonc",
    `{
      // Comments and trailing commas are allowed.
      "compile": {
        "permissions": { "read": true },
        "include": ["assets", "worker.ts"],
        "exclude": ["assets/secret.txt"],
      },
    }`,
  );
  await file("assets/greeting.txt", "hello");
  await file("assets/secret.txt", "secret");
  await file(
    "worker.ts",
    `import { part } from "./part.ts";
     self.onmessage = () => self.postMessage(part);`,
  );
  await file("part.ts", `export const part: string = "from a worker";`);
  await file(
    "main.ts",
    `const url = new URL("./worker.ts", import.meta.url);
     const worker = new Worker(url, { type: "module" });
     worker.onmessage = ({ data }) => {
       console.log(Deno.readTextFileSync(import.meta.dirname + "/assets/greeting.txt"), data);
       try {
         Deno.statSync(import.meta.dirname + "/assets/secret.txt");
         console.log("the secret is there");
       } catch {}
       worker.terminate();
     };
     worker.postMessage("");`,
  );
  const lines: string[] = [];
  const make = async () => {
    const path = join(directory.path, "plugin");
    const [made] = await compile([path], { say: (line) => lines.push(line) });
    return made!;
  };
  const { path } = await make();
  assertEquals((await run(path)).stdout, "hello from a worker\n");
  assertEquals((await make()).reused, true, lines.join("\n"));
  await file("assets/greeting.txt", "good morning");
  assertEquals((await make()).reused, false, lines.join("\n"));
  assertStringIncludes((await run(path)).stdout, "good morning");
  await file("part.ts", `export const part: string = "changed";`);
  assertEquals((await make()).reused, false, lines.join("\n"));
  assertStringIncludes((await run(path)).stdout, "changed");

  await Deno.remove(join(directory.path, "plugin", "worker.ts"));
  const error = await assertRejects(make, AggregateError);
  assertStringIncludes(
    error.message,
    `plugin could not be compiled: it includes ${
      join(directory.path, "plugin", "worker.ts")
    }`,
  );
});

Deno.test("pluginExecutable() refuses what it does not support in compile", async () => {
  await using directory = await TemporaryDirectory.make();
  const refused = async (config: unknown, message: string) => {
    await Deno.writeTextFile(
      join(directory.path, "deno.json"),
      JSON.stringify(config),
    );
    await assertRejects(
      () => pluginExecutable(directory.path, "x"),
      TypeError,
      message,
    );
  };
  await refused({ compile: { permissions: {}, icon: "x" } }, '"icon"');
  await refused({ compile: { permissions: {}, include: "x" } }, '"include"');
  await refused({ compile: { permissions: "some" } }, '"some"');
  await refused({ compile: true }, '"compile" must be an object');
  await refused([], "must be an object");
});

Deno.test("a program that cannot be bundled is compiled from its modules", async () => {
  await using directory = await TemporaryDirectory.make();
  const entry = join(directory.path, "main.ts");
  await Deno.writeTextFile(
    entry,
    `import { createRequire } from "node:module";
     const require = createRequire(import.meta.url);
     console.log(require("./part.cjs").directory === import.meta.dirname);`,
  );
  await Deno.writeTextFile(
    join(directory.path, "part.cjs"),
    "exports.directory = __dirname;",
  );
  await Deno.writeTextFile(
    entry,
    `import part from "./part.cjs"; console.log(part.directory === import.meta.dirname);`,
  );
  const lines: string[] = [];
  const [made] = await compile(
    [{ name: "unbundled", entry, flags: ["--allow-read"] }],
    { out: directory.path, say: (line) => lines.push(line) },
  );
  assertEquals((await run(made!.path)).stdout, "true\n", lines.join("\n"));
  assert(!lines.some((line) => line.includes("fail")), lines.join("\n"));
  assertMatch(lines.join("\n"), /unbundled is compiled .* uses __dirname/);
});

Deno.test("`deno task compile` for a platform whose runtime base is unreachable names the plugin, and leaves nothing", async () => {
  await using directory = await TemporaryDirectory.make();
  const plugin = join(directory.path, "my-plugin");
  await Deno.mkdir(plugin);
  await Deno.writeTextFile(
    join(plugin, "deno.json"),
    JSON.stringify({ compile: { permissions: {} } }),
  );
  await Deno.writeTextFile(join(plugin, "main.ts"), "console.log(1);");
  const target = Deno.build.target === "aarch64-apple-darwin"
    ? "x86_64-apple-darwin"
    : "aarch64-apple-darwin";
  const denoDir = join(directory.path, "deno");
  await Deno.mkdir(denoDir);
  const info = await run(Deno.execPath(), { args: ["info", "--json"] });
  const { npmCache } = JSON.parse(info.stdout);
  await Deno.symlink(npmCache, join(denoDir, "npm"));
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      join(import.meta.dirname!, "..", "..", "tools", "compile.ts"),
      "--target",
      target,
      plugin,
    ],
    env: {
      NO_COLOR: "1",
      // Nothing listens there, and the cache has packages but no runtime base.
      HTTPS_PROXY: "http://127.0.0.1:9",
      DENO_DIR: denoDir,
    },
  }).output();
  const text = new TextDecoder().decode(stderr);
  assertEquals(code, 1, text);
  assertStringIncludes(text, `my-plugin could not be compiled for ${target}`);
  assert(!/\.making|modules\/main\.js/.test(text), text);
  const left = await Array.fromAsync(Deno.readDir(plugin));
  assertEquals(left.map(({ name }) => name).sort(), ["deno.json", "main.ts"]);
});

Deno.test("`describe` prints the lists of permissions that a compiled plugin has", async () => {
  await using directory = await TemporaryDirectory.make();
  const entry = await writePlugin(directory.path);
  const flags = permissionFlags({
    read: true,
    run: ["mount", "umount"],
    sys: ["hostname"],
    net: { allow: true, deny: ["example.com"] },
  }, "test");
  const [made] = await compile([{ name: "described", entry, flags }], {
    out: directory.path,
    say: () => {},
  });
  const { stdout } = await run(made!.path, { args: ["describe"] });
  const { permissions, note } = JSON.parse(stdout);
  assertEquals(permissions, {
    read: true,
    write: false,
    net: { allow: true, deny: ["example.com"] },
    env: false,
    run: ["mount", "umount"],
    sys: ["hostname"],
    ffi: false,
    import: false,
  });
  assertEquals(note, undefined);
});

Deno.test("a compiled executable keeps no code cache, and reads none", async () => {
  await using directory = await TemporaryDirectory.make();
  const temporary = join(directory.path, "tmp");
  await Deno.mkdir(temporary);
  const entry = join(directory.path, "main.ts");
  await Deno.writeTextFile(entry, `console.log("started");`);
  const [made] = await compile([{ name: "cacheless", entry, flags: [] }], {
    out: directory.path,
    say: () => {},
  });
  const start = () => run(made!.path, { env: { TMPDIR: temporary } });
  // Deno writes a cache in the first run, and uses it from the third on.
  for (let count = 0; count < 3; count++) {
    assertEquals((await start()).stdout, "started\n");
  }
  assertEquals(await Array.fromAsync(Deno.readDir(temporary)), []);
  if (Deno.build.os === "windows") return;
  // Opening a FIFO without a writer would block.
  const pipe = join(temporary, "deno-compile-cacheless.cache");
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  assertEquals((await start()).stdout, "started\n");
});

for (const version of ["16.18.126", "18.19.130"]) {
  Deno.test(`a plugin whose packages bring @types/node ${version} type-checks`, async () => {
    await using directory = await TemporaryDirectory.make();
    await writePlugin(
      directory.path,
      `import type {} from "npm:@types/node@${version}";`,
    );
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "main.ts"],
      cwd: directory.path,
      env: { NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder().decode(stderr);
    assert(success, text);
  });
}

Deno.test("downloadPinned() keeps the start of a file from a package when its sha256 is right", async () => {
  await using directory = await TemporaryDirectory.make();
  const content = new Uint8Array(200_000).map((_, index) => index % 251);
  const tarball = await pack(directory.path, content);
  const wanted = content.subarray(0, 150_001);
  const piece: Piece = {
    package: "a@1.0.0",
    file: "package/program",
    bytes: wanted.length,
    sha256: createHash("sha256").update(wanted).digest("hex"),
  };
  let packed = 0;
  const fromTarball = () => (packed++, Promise.resolve(tarball));
  const path = join(directory.path, "cache", "program");

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

Deno.test("downloadPinned() rejects a file whose SHA-256 is wrong, and leaves no file", async () => {
  await using directory = await TemporaryDirectory.make();
  const tarball = await pack(directory.path, new Uint8Array(1000));
  const cache = join(directory.path, "cache");
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

/** Writes a plugin as its author has it, with the library linked from here; returns its main module. */
async function writePlugin(directory: string, code = ""): Promise<string> {
  const library = relative(
    await Deno.realPath(directory),
    join(import.meta.dirname!, "..", ".."),
  );
  await Deno.writeTextFile(
    join(directory, "deno.json"),
    JSON.stringify({
      links: [library],
      imports: { "@baler/baler": "jsr:@baler/baler@^0.1.0" },
    }),
  );
  const entry = join(directory, "main.ts");
  await Deno.writeTextFile(
    entry,
    `${code}
     import { serveBuilder } from "@baler/baler";
     serveBuilder({ prepare() {}, run() {} });`,
  );
  return entry;
}

// A tarball as npm creates it, with the program after another file.
async function pack(directory: string, program: Uint8Array): Promise<string> {
  await Deno.mkdir(join(directory, "package"));
  await Deno.writeTextFile(
    join(directory, "package", "about"),
    "x".repeat(700),
  );
  await Deno.writeFile(join(directory, "package", "program"), program);
  const { success } = await new Deno.Command("tar", {
    args: ["-czf", "a.tgz", "package/about", "package/program"],
    cwd: directory,
  }).output();
  assert(success);
  return join(directory, "a.tgz");
}

async function run(
  path: string,
  { env, args = [] }: { env?: Record<string, string>; args?: string[] } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(path, {
    args,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}
