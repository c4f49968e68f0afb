// A machine that lacks a resource: baler names it in one error for each build that fails;
// the others finish, and everything is cleaned up.

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  assertForPeople,
  fixturePlugin,
  forEachHost,
  type RunOptions,
  type Workspace,
} from "../support/harness.ts";
import { NOT_POSIX } from "../support/programs.ts";

const decoder = new TextDecoder();

async function mount(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("mount", { args })
    .output();
  if (!success) throw new Error(decoder.decode(stderr));
}

async function unmount(path: string): Promise<void> {
  await new Deno.Command("umount", { args: ["-l", path] }).output();
}

/** A small file system in the test's directory, which is removed with the test. */
class Disk implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(bench: Workspace, options: string): Promise<Disk> {
    const path = bench.at("disk");
    await Deno.mkdir(path);
    await mount("-t", "tmpfs", "-o", options, "none", path);
    return new Disk(path);
  }

  /** Fills the remaining space. */
  async fill(): Promise<void> {
    await Deno.writeFile(`${this.path}/fill`, new Uint8Array(128 * 1024))
      .catch(() => {});
  }

  names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await unmount(this.path);
  }
}

/** Why a small disk cannot be mounted here; undefined when it can. */
async function whyNoDisk(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "there is no tmpfs";
  const path = await Deno.makeTempDir();
  try {
    await mount("-t", "tmpfs", "-o", "size=64k", "none", path);
    await unmount(path);
  } catch {
    return "mounting is not permitted";
  } finally {
    await Deno.remove(path);
  }
}

const withDisk = { ignore: await whyNoDisk() };
const withShell = {
  ignore: NOT_POSIX,
};

/** Runs two builds, of which `other` succeeds and `one` fails; returns the error of `one`. */
async function fails(
  bench: Workspace,
  template: unknown,
  options?: RunOptions,
): Promise<string> {
  await bench.write("template.json", template);
  const ended = await bench.baler(["build", "template.json"], options);
  assertEquals(ended.code, 1, ended.output);
  assertForPeople(ended);
  assertMatch(ended.stdout, /^Build 'other' finished/m);
  const errors = ended.stdout.match(
    /^Build 'one' errored after [^]*?(?=^\S*==>|^Build|\n\n==>)/gm,
  );
  assertEquals(errors?.length, 1, ended.output);
  return errors![0];
}

const other = { type: "file", name: "other", content: "x", target: "other" };

// Full disks

forEachHost(
  "an artifact that does not fit on the disk is reported, and its partial file is removed",
  async (bench) => {
    await using disk = await Disk.make(bench, "size=64k");
    await bench.write("source", "x".repeat(300_000));
    const error = await fails(bench, {
      builders: [
        { type: "file", name: "one", source: "source", target: "disk/made" },
        other,
      ],
    });
    assertMatch(error, /: write disk\/made: no space left on device$/m);
    assertEquals(disk.names(), []);
  },
  withDisk,
);

forEachHost(
  "a post-processor whose disk is full reports the file, and leaves no partial file",
  async (bench) => {
    await using disk = await Disk.make(bench, "size=64k");
    await Deno.writeFile(
      bench.at("source"),
      crypto.getRandomValues(new Uint8Array(60_000)),
    );
    const built = (...postProcessors: unknown[]) =>
      fails(bench, {
        builders: [
          { type: "file", name: "one", source: "source", target: "one" },
          other,
        ],
        "post-processors": postProcessors.map((step) => ({
          ...step as Record<string, unknown>,
          only: ["one"],
        })),
      });
    await Deno.writeFile(`${disk.path}/fill`, new Uint8Array(32 * 1024));
    assertMatch(
      await built({ type: "compress", output: "disk/one.tar.gz" }),
      /disk\/one\.tar\.gz: no space left on device/i,
    );
    await disk.fill();
    assertMatch(
      await built({ type: "manifest", output: "disk/manifest.json" }),
      /disk\/manifest\.json: no space left on device/i,
    );
    assertMatch(
      await built({ type: "checksum", output: "disk/one.{{.ChecksumType}}" }),
      /disk\/one\.md5: no space left on device/i,
    );
    assertEquals(disk.names(), ["fill"]);
  },
  withDisk,
);

// Unusable directories for temporary files

/** Runs scripts on this machine and over a communicator with a directory for their temporary files. */
async function failsWithTemporary(
  bench: Workspace,
  directory: string,
  expected: RegExp,
): Promise<void> {
  for (const type of ["shell", "shell-local"]) {
    const error = await fails(bench, {
      builders: [
        { type: "null", name: "one", communicator: "local" },
        other,
      ],
      provisioners: [{ type, only: ["one"], inline: ["touch ran"] }],
    }, { env: { TMPDIR: directory } });
    assertMatch(error, expected);
    assert(!(await bench.names()).includes("ran"));
  }
}

forEachHost(
  "a full directory for temporary files is reported, and nothing is left in it",
  async (bench) => {
    await using disk = await Disk.make(bench, "size=64k");
    await disk.fill();
    await failsWithTemporary(
      bench,
      disk.path,
      /: write .*\/disk\/baler-shell-[\w-]+: no space left on device$/m,
    );
    assertEquals(disk.names(), ["fill"]);
  },
  withDisk,
);

forEachHost(
  "a directory for temporary files that is not writable is reported",
  async (bench) => {
    await using disk = await Disk.make(bench, "size=64k,ro");
    await failsWithTemporary(
      bench,
      disk.path,
      /cannot create a temporary file; TMPDIR .*: read-only file system$/m,
    );
  },
  withDisk,
);

forEachHost(
  "a directory for temporary files that is a file, or does not exist, is reported",
  async (bench) => {
    await failsWithTemporary(
      bench,
      bench.at("missing"),
      /cannot create a temporary file; TMPDIR .*: no such file or directory$/m,
    );
    const file = await bench.write("file", "");
    await failsWithTemporary(
      bench,
      file,
      /cannot create a temporary file; TMPDIR .*: not a directory$/m,
    );
  },
  withShell,
);

// Outputs that cannot be written any more

/** A machine that runs until its build is cancelled, and a script that prints without end. */
const endless = {
  builders: [
    { type: "waiting", name: "cloud" },
    { type: "null", name: "talk", communicator: "local" },
  ],
  plugins: { builders: { waiting: fixturePlugin("slow_cleanup") } },
  provisioners: [{
    type: "shell-local",
    only: ["talk"],
    inline: ["while :; do echo more; sleep 0.05; done"],
  }],
};

for (
  const [what, through, message] of [
    [
      "has no reader any more, as with | head -1,",
      `{ "$@"; echo $? > code; } | head -1`,
      /^Cancelling the builds: the reader has closed the output$/m,
    ],
    [
      "has no reader any more, stderr too,",
      `{ "$@"; echo $? > code; } 2>&1 | head -1`,
      undefined,
    ],
    [
      "has no room",
      `"$@" > /dev/full; echo $? > code`,
      /^Cancelling the builds: cannot write the output: No space left/m,
    ],
  ] as const
) {
  forEachHost(
    `a build whose output ${what} is cancelled, and cleans up`,
    async (bench) => {
      await bench.write("template.json", endless);
      const ended = await bench.baler(["build", "template.json"], {
        through: ["sh", "-c", through, "sh"],
      });
      assertForPeople(ended);
      if (message !== undefined) assertMatch(ended.stderr, message);
      assertEquals((await bench.read("code")).trim(), "1", ended.output);
      assertEquals(await bench.names(), ["code", "template.json"]);
    },
    withShell,
  );
}

forEachHost(
  "output that does not fit on the disk is an error of every command",
  async (bench) => {
    await bench.write("template.json", { builders: [other] });
    for (const args of [["schema"], ["validate", "template.json"]]) {
      const ended = await bench.baler(args, {
        through: ["sh", "-c", `"$@" > /dev/full`, "sh"],
      });
      assertEquals(ended.code, 1, ended.output);
      assertMatch(ended.stderr, /cannot write the output: No space left/);
      assertForPeople(ended);
    }
  },
  withShell,
);

// Few file descriptors, no PATH

forEachHost(
  "with 64 file descriptors, as many builds run at a time as possible, and a failed start is reported",
  async (bench) => {
    const names = Array.from({ length: 40 }, (_, index) => `b${index}`);
    await bench.write("template.json", {
      builders: names.map((name) => ({
        type: "file",
        name,
        content: name,
        target: `made/${name}`,
      })),
      provisioners: [{ type: "shell-local", inline: ["true"] }],
    });
    const ended = await bench.baler(["build", "template.json"], {
      through: ["sh", "-c", `ulimit -n 64; exec "$@"`, "sh"],
    });
    assertForPeople(ended);
    if (bench.kind === "compiled") {
      assertMatch(
        ended.stdout,
        /^Running \d+ builds? at a time: the limit on open files \("ulimit -n"\) is too low for 40\.$/m,
      );
    }
    const made = await bench.names("made");
    const refused = names.filter((name) =>
      ended.stdout.includes(`Failed to prepare build: "${name}"`)
    );
    assertEquals([...made, ...refused].sort(), [...names].sort());
    assert(made.length > 0, ended.output);
    // From source, Deno itself needs most of them.
    if (bench.kind === "compiled") assertEquals(refused, [], ended.output);
    assertEquals(ended.code, refused.length > 0 ? 1 : 0, ended.output);
    if (refused.length > 0) {
      assertMatch(
        ended.stdout,
        /too many open files; raise the limit with "ulimit -n"/,
      );
    }
  },
  withShell,
);

forEachHost(
  "without PATH everything works that does not need it, and a command that is not found is reported",
  async (bench) => {
    const error = await fails(bench, {
      builders: [
        { type: "null", name: "one", communicator: "local" },
        other,
      ],
      provisioners: [
        { type: "shell-local", inline: ["echo hi > local"] },
        { type: "shell-local", only: ["one"], inline: ["nowhere"] },
      ],
    }, { env: { PATH: "" } });
    assertMatch(error, /exit status: 127/);
    assertEquals(await bench.read("local"), "hi\n");

    await bench.write("template.json", {
      plugins: { builders: { lost: ["nowhere"] } },
      builders: [{ type: "lost" }],
    });
    const ended = await bench.baler(["build", "template.json"], {
      env: { PATH: "" },
    });
    assertEquals(ended.code, 1);
    assertMatch(ended.stdout, /command "nowhere" not found on PATH/);
    assertForPeople(ended);
  },
  withShell,
);
