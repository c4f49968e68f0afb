// What .ci/run runs: the tests as a new machine has them, then everything that tests compare with, every check, and every
// test. It needs node, npm and the npm registry; what else a machine lacks, tests report as the reason why they
// were skipped.
//
//     deno run --allow-all tools/ci.ts
//
// BALER_CI_FRESH=all runs the whole suite on the new machine, not only the files that look for other programs.
// The last line is "N passed, N failed", with ", N skipped" where some were. The exit code is 0 when nothing failed,
// else 3.

import { fromFileUrl, join } from "@std/path";
import { runChecks } from "./check.ts";
import { type Counts, countsLine, runTests } from "./run_tests.ts";

const root = fromFileUrl(new URL("..", import.meta.url));

/** The Debian packages that tests use, with a command that shows whether each is installed. */
const PACKAGES = {
  packer: "packer",
  python3: "python3",
  fish: "fish",
  lz4: "lz4",
  ssh: "openssh-client",
  sshd: "openssh-server",
  tmux: "tmux",
  zsh: "zsh",
  busybox: "busybox",
  bsdtar: "libarchive-tools",
  isoinfo: "genisoimage",
  swtpm: "swtpm",
  podman: "podman",
  runc: "runc",
  "qemu-system-x86_64": "qemu-system-x86",
  "qemu-img": "qemu-utils",
  "ansible-playbook": "ansible-core",
  mmdebstrap: "mmdebstrap",
  newuidmap: "uidmap",
  mke2fs: "e2fsprogs",
  zstd: "zstd",
};

/** The exit code after failures; an error of this program itself gives 1. */
const FAILED = 3;

/** How long one package may take to install, in milliseconds. */
const INSTALL_LIMIT_MS = 5 * 60_000;

/** How long the Go programs of tests/peers may take to build, in milliseconds. */
const GO_LIMIT_MS = 15 * 60_000;

/** Environment variables that decide how a machine reaches the npm registry. */
const NETWORK =
  /^(https?_proxy|no_proxy|all_proxy|node_extra_ca_certs|ssl_cert_(file|dir)|deno_cert|deno_tls_ca_store)$/i;

const total: Counts = { passed: 0, failed: 0, skipped: 0 };

function add({ passed, failed, skipped }: Counts): void {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
}

/** Runs a command to its end, with its output on this one's; true when it succeeded. */
async function succeeds(
  command: string,
  args: readonly string[],
  options: { env?: Record<string, string>; limitMs?: number; quiet?: boolean } =
    {},
): Promise<boolean> {
  const output = options.quiet ? "null" : "inherit";
  try {
    const { success } = await new Deno.Command(command, {
      args: [...args],
      cwd: root,
      env: options.env,
      stdin: "null",
      stdout: output,
      stderr: output,
      ...options.limitMs && { signal: AbortSignal.timeout(options.limitMs) },
    }).output();
    return success;
  } catch {
    return false;
  }
}

/** The path of a command on PATH. */
function which(command: string): string | undefined {
  for (const directory of (Deno.env.get("PATH") ?? "").split(":")) {
    const path = join(directory, command);
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch {
      // Not there.
    }
  }
}

/**
 * The commands that every Debian has: those of its required packages.
 *
 * @returns Their paths by their names; undefined on a machine without dpkg.
 */
async function debianCommands(): Promise<Map<string, string> | undefined> {
  const read = async (command: string, args: string[]) => {
    const { stdout } = await new Deno.Command(command, { args }).output();
    return new TextDecoder().decode(stdout).split("\n");
  };
  if (which("dpkg-query") === undefined) return undefined;
  const packages = await read("dpkg-query", [
    "-W",
    "-f=${binary:Package} ${Priority}\\n",
  ]);
  const required = packages.flatMap((line) => {
    const [name, priority] = line.split(" ");
    return priority === "required" ? [name!] : [];
  });
  const commands = new Map<string, string>();
  for (const path of await read("dpkg-query", ["-L", ...required])) {
    const [, name] = /^(?:\/usr)?\/s?bin\/([^/]+)$/.exec(path) ?? [];
    if (name !== undefined) commands.set(name, path);
  }
  // A link that Debian's alternatives make.
  commands.set("awk", "/usr/bin/awk");
  return commands;
}

/** The environment that reaches the npm registry as this user does, without this user's home. */
async function networkVariables(): Promise<Record<string, string>> {
  const { stdout } = await new Deno.Command("npm", {
    args: ["config", "get", "registry"],
  }).output();
  return {
    ...Object.fromEntries(
      Object.entries(Deno.env.toObject()).filter(([name]) =>
        NETWORK.test(name)
      ),
    ),
    NPM_CONFIG_REGISTRY: new TextDecoder().decode(stdout).trim(),
  };
}

/** The test files that look for programs which a machine may lack. */
function filesWithPeers(directory = "tests"): string[] {
  return [...Deno.readDirSync(join(root, directory))].flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) return filesWithPeers(path);
    if (!entry.name.endsWith("_test.ts")) return [];
    const text = Deno.readTextFileSync(join(root, path));
    return /\bmissing\b|\bpeers?\b/.test(text) ? [path] : [];
  }).sort();
}

/** Runs the README's test command with an empty home, and with a PATH of node, npm and Debian's own commands. */
async function testFresh(): Promise<void> {
  const commands = await debianCommands();
  if (commands === undefined) {
    console.log("skipped: without dpkg, a new machine cannot be set up here");
    total.skipped++;
    return;
  }
  for (const name of ["node", "npm", "npx"]) {
    const path = which(name);
    if (path === undefined) throw new Error(`${name} is not on PATH`);
    commands.set(name, path);
  }
  const machine = await Deno.realPath(
    await Deno.makeTempDir({ prefix: "baler-ci-" }),
  );
  try {
    for (const name of ["bin", "home", "tmp"]) {
      await Deno.mkdir(join(machine, name));
    }
    for (const [name, path] of commands) {
      await Deno.symlink(path, join(machine, "bin", name));
    }
    const counts = join(machine, "counts.json");
    const all = Deno.env.get("BALER_CI_FRESH") === "all";
    const [command, ...words] = [
      join(machine, "bin/npx"),
      ...["-y", "deno@2.9.6", "task", "test"],
      ...all ? [] : filesWithPeers(),
    ];
    const { code } = await new Deno.Command(command!, {
      args: words,
      cwd: root,
      clearEnv: true,
      env: {
        ...await networkVariables(),
        PATH: join(machine, "bin"),
        HOME: join(machine, "home"),
        TMPDIR: join(machine, "tmp"),
        BALER_TEST_COUNTS: counts,
      },
      stdin: "null",
    }).spawn().status;
    const text = await Deno.readTextFile(counts).catch(() => undefined);
    if (text === undefined) {
      throw new Error(`the README's test command exited with code ${code}`);
    }
    add(JSON.parse(text));
  } finally {
    await Deno.remove(machine, { recursive: true });
  }
}

/** Installs what tests compare with, where this user may; what cannot be had, tests skip. */
async function installPeers(): Promise<void> {
  const isDebian = which("apt-get") !== undefined && Deno.uid() === 0;
  const wanted = Object.entries(PACKAGES).filter(([command]) =>
    which(command) === undefined
  );
  if (isDebian && wanted.length > 0) {
    const options = {
      env: { DEBIAN_FRONTEND: "noninteractive" },
      limitMs: INSTALL_LIMIT_MS,
      quiet: true,
    };
    await succeeds("apt-get", ["update", "-qq"], options);
    for (const [, name] of wanted) {
      const args = ["install", "-y", "-qq", "--no-install-recommends", name];
      console.log(
        await succeeds("apt-get", args, options)
          ? `installed ${name}`
          : `${name} could not be installed`,
      );
    }
  }
  if (which("go") === undefined) {
    console.log(
      "go is not installed: the programs of tests/peers are not built",
    );
    return;
  }
  const args = ["run", "--allow-all", "tests/peers/build.ts"];
  const built = await succeeds(Deno.execPath(), args, { limitMs: GO_LIMIT_MS });
  if (!built) console.log("not every program of tests/peers could be built");
}

/** Runs a part of the work; an error that it throws counts as a failure, and the next part runs. */
async function part(name: string, run: () => Promise<void>): Promise<void> {
  console.log(`== ${name}`);
  const start = Date.now();
  try {
    await run();
  } catch (error) {
    console.log(`failed: ${name}: ${(error as Error).message}`);
    total.failed++;
  }
  const minutes = (Date.now() - start) / 60_000;
  console.log(`== ${name}: ${minutes.toFixed(1)} minutes`);
}

await part("tests on a new machine", testFresh);
await part("programs that tests compare with", installPeers);
await part("checks", async () => add({ ...await runChecks(), skipped: 0 }));
await part("tests", async () => add(await runTests(["--doc"])));
console.log(countsLine(total));
Deno.exit(total.failed === 0 ? 0 : FAILED);
