// The programs of the system that tests run, and the reason that a skipped test shows where one is missing.

/** How a program reports its version, and which one the tests need. */
interface Probe {
  readonly command: string;
  readonly args: readonly string[];
  /** Matches what the right program prints, with the version as its first group. */
  readonly version: RegExp;
  /** What the tests need, when it is more than the command. */
  readonly needed?: string;
}

/** Every program that a test may need, by the name that the test uses. */
const PROGRAMS = {
  ansible: probe("ansible-playbook", ["--version"], /core ([\d.]+)/),
  bash: probe("bash", ["--version"], /version ([\d.]+)/),
  fish: probe("fish", ["--version"], /version ([\d.]+)/),
  go: probe("go", ["version"], /\bgo([\d.]+)/),
  gzip: probe("gzip", ["--version"], /gzip.* ([\d.]+)/),
  // The Python package, which may be missing.
  jsonschema: {
    ...probe("python3", [
      "-c",
      "from jsonschema import Draft202012Validator as _, __version__ as v; print(v)",
    ], /^([\d.]+)/),
    needed: "the Python package jsonschema",
  },
  lz4: probe("lz4", ["--version"], /v([\d.]+)/),
  openssl: probe("openssl", ["version"], /SSL ([\d.]+)/),
  // The last version that is free software and what baler is compared with. (cracklib has a program of this
  // name too.)
  packer: {
    ...probe("packer", ["version"], /^Packer v(1\.6\.6)$/m),
    needed: "Packer 1.6.6",
  },
  python3: probe("python3", ["--version"], /Python (3[\d.]+)/),
  script: probe("script", ["--version"], /([\d.]+)/),
  ssh: probe("ssh", ["-V"], /OpenSSH_([\d.]+)/),
  // Prints its version with the error about an option that it does not have.
  sshd: probe("/usr/sbin/sshd", ["-V"], /OpenSSH_([\d.]+)/),
  tar: probe("tar", ["--version"], /tar.* ([\d.]+)/),
  tmux: probe("tmux", ["-V"], /tmux ([\w.-]+)/),
  zsh: probe("zsh", ["--version"], /zsh ([\d.]+)/),
} as const satisfies Record<string, Probe>;

/** The name of a program that tests may need. */
export type ProgramName = keyof typeof PROGRAMS;

/** Why a test for Linux alone is skipped here; undefined on Linux. */
export const NOT_LINUX: string | undefined = Deno.build.os === "linux"
  ? undefined
  : "needs Linux";

/** Why a test that needs a POSIX shell is skipped here; undefined when there is one. */
export const NOT_POSIX: string | undefined = Deno.build.os === "windows"
  ? "needs a POSIX shell"
  : undefined;

type Found =
  | { readonly version: string }
  | { readonly missing: string };

const found = new Map<ProgramName, Found>();

/**
 * The version of a program.
 *
 * @param name The program.
 * @returns The version that it reports, or undefined where it is missing.
 */
export function programVersion(name: ProgramName): string | undefined {
  const program = find(name);
  return "version" in program ? program.version : undefined;
}

/**
 * Why a test that needs these programs must be skipped.
 *
 * @param names The programs.
 * @returns The reason, or undefined where all of them are installed.
 */
export function missing(...names: ProgramName[]): string | undefined {
  const reasons = names.flatMap((name) => {
    const program = find(name);
    return "missing" in program ? [program.missing] : [];
  });
  return reasons.length > 0 ? reasons.join(", ") : undefined;
}

/**
 * The name and the `ignore` of a test that may have to be skipped: `Deno.test({ ...skippable(NAME, REASON), fn })`.
 *
 * @param name The test's name.
 * @param reason Why the test is skipped, such as {@linkcode missing} returns; undefined where it runs.
 */
export function skippable(
  name: string,
  reason: string | undefined,
): { name: string; ignore: boolean } {
  return reason === undefined
    ? { name, ignore: false }
    : { name: `${name} (skipped: ${reason})`, ignore: true };
}

function probe(
  command: string,
  args: readonly string[],
  version: RegExp,
): Probe {
  return { command, args, version };
}

function find(name: ProgramName): Found {
  let program = found.get(name);
  if (program === undefined) {
    program = run(PROGRAMS[name]);
    found.set(name, program);
  }
  return program;
}

function run({ command, args, version, needed }: Probe): Found {
  let text: string;
  try {
    const { stdout, stderr } = new Deno.Command(command, {
      args: [...args],
      stdin: "null",
      // Packer would ask its maker's server for a newer version.
      env: { CHECKPOINT_DISABLE: "1", LC_ALL: "C.UTF-8" },
    }).outputSync();
    const decoder = new TextDecoder();
    text = decoder.decode(stdout) + decoder.decode(stderr);
  } catch {
    // Not on PATH, or a file that cannot be executed.
    return { missing: `${needed ?? command} is not installed` };
  }
  const match = version.exec(text);
  if (match !== null) return { version: match[1]! };
  return {
    missing: needed === undefined
      ? `${command} does not run here`
      : `${needed} is not installed`,
  };
}
