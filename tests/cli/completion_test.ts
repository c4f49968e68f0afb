// `baler completion`: its scripts, in real shells.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { COMMANDS } from "../../host/cli/registry.ts";
import {
  assertForPeople,
  forEachHost,
  type Workspace,
} from "../support/harness.ts";
import { Terminal } from "../support/terminal.ts";
import { missing } from "../support/programs.ts";
import { shellQuote } from "../support/shell.ts";

const shells = ["bash", "zsh", "fish"] as const;

const template = {
  variables: { region: "north", color: "red" },
  builders: ["web-1", "web-2", "db"].map((name) => ({ type: "null", name })),
};

/** Prepares a directory with files to complete and the completion script for a shell. */
async function prepare(bench: Workspace, shell: string): Promise<string> {
  await bench.write("site.json", template);
  await bench.write("notes.txt", "");
  await bench.write("some directory/inner.json", template);
  const bin = join(bench.home, "bin");
  await bench.write(
    join(bin, "baler"),
    `#!/bin/sh\nexec ${bench.argv.map(shellQuote).join(" ")} "$@"\n`,
    { mode: 0o755 },
  );
  const { stdout } = await bench.succeeds(["completion", shell]);
  await bench.write(join(bench.home, `script.${shell}`), stdout);
  return `${bin}:${bench.env.PATH}`;
}

/** Returns the completions of a line in a shell without a terminal, with the cursor at the end or at `|`. */
async function offers(
  bench: Workspace,
  shell: "bash" | "fish",
  line: string,
): Promise<string[]> {
  const PATH = await prepare(bench, shell);
  const cursor = line.includes("|") ? line.indexOf("|") : line.length;
  const whole = line.replace("|", "");
  const code = shell === "fish"
    ? `source ~/script.fish; complete -C ${shellQuote(line)}`
    : `source ~/script.bash
       compopt() { :; } # Bash knows it only where a person types.
       COMP_LINE=${shellQuote(whole)} COMP_POINT=${cursor} COMP_WORDS=(${whole})
       _baler 2>&1 && printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await new Deno.Command(shell, {
    args: ["-c", code],
    cwd: bench.path,
    env: { ...bench.env, PATH, XDG_CONFIG_HOME: bench.home },
    clearEnv: true,
    stdin: "null",
  }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout).split("\n")
    .map((one) => one.replace(/\t.*/, "")).filter((one) => one !== "").sort();
}

const commands = Object.keys(COMMANDS).sort();

for (
  const [promise, line, expected] of [
    ["commands", "baler ", commands],
    ["commands behind a flag", "baler -machine-readable ", commands],
    ["the beginning of a command", "baler va", ["validate"]],
    ["templates and directories", "baler build ", [
      "site.json",
      "some directory",
    ]],
    ["files by their beginning", "baler inspect no", ["notes.txt"]],
    ["the commands of help", "baler help in", ["inspect"]],
    ["shells", "baler completion ", ["bash", "fish", "zsh"]],
    ["builds", "baler build site.json -only ", ["db", "web-1", "web-2"]],
    ["builds of a template behind", "baler build -only w| site.json", [
      "web-1",
      "web-2",
    ]],
    ["builds behind a comma", "baler build site.json -except db,web-", [
      "db,web-1",
      "db,web-2",
    ]],
    ["the values of a flag", "baler build -on-error ab", ["abort"]],
    ["the directories of a flag", "baler plugins -plugin-dir some", [
      "some directory",
    ]],
    ["variables", "baler console site.json -var co", ["color="]],
    ["nothing for a number", "baler build -parallel-builds ", []],
    ["nothing for what is no command", "baler nonsense ", []],
  ] as const
) {
  forEachHost(
    `bash completes ${promise}`,
    async (bench) => assertEquals(await offers(bench, "bash", line), expected),
    { ignore: missing("bash") },
  );
  // fish's `complete -C` cannot be given a cursor in the middle of a line.
  if (line.includes("|")) continue;
  forEachHost(
    `fish completes ${promise}`,
    async (bench) => {
      const offered = await offers(bench, "fish", line.replace(/\|.*/, ""));
      const seen = offered.map((one) =>
        one.replaceAll("\\ ", " ").replace(/\/$/, "")
      );
      // fish also lists less similar files, after the others.
      const others = promise.startsWith("templates") ? ["notes.txt"] : [];
      assertEquals(seen, [...others, ...expected]);
    },
    { ignore: missing("fish") },
  );
}

forEachHost(
  "bash completes all flags of a command",
  async (bench) => {
    for (const [name, { load }] of Object.entries(COMMANDS)) {
      const flags = Object.entries((await load()).flags).map(([flag, of]) =>
        `-${flag}${of.type === "boolean" && !of.default ? "" : "="}`
      );
      assertEquals(
        await offers(bench, "bash", `baler ${name} -`),
        [...flags, "-help", "-machine-readable"].sort(),
      );
    }
    assertEquals(await offers(bench, "bash", "baler build --var"), [
      "--var-file=",
      "--var=",
    ]);
  },
  { ignore: missing("bash") },
);

forEachHost(
  "bash completes a value after = whether or not = breaks words",
  async (bench) => {
    const line = "baler build site.json -only=db,web";
    assertEquals(await offers(bench, "bash", line), ["db,web-1", "db,web-2"]);
    const PATH = await prepare(bench, "bash");
    const { stdout } = await new Deno.Command("bash", {
      args: [
        "-c",
        `source ~/script.bash; COMP_WORDBREAKS=' '
         compopt() { :; } # Bash knows it only where a person types.
       COMP_LINE=${shellQuote(line)} COMP_POINT=${line.length}
         COMP_WORDS=(${line}); _baler; echo "\${COMPREPLY[@]}"`,
      ],
      cwd: bench.path,
      env: { ...bench.env, PATH },
    }).output();
    assertEquals(
      new TextDecoder().decode(stdout),
      "-only=db,web-1 -only=db,web-2\n",
    );
  },
  { ignore: missing("bash") },
);

/** The command that starts each shell on a terminal without the configuration of this machine. */
const interactive = {
  bash: "bash --noprofile --norc -i",
  zsh: "zsh -f -i",
  fish: "fish --no-config -i",
};

const sourcing = {
  bash: "source ~/script.bash",
  zsh: "autoload -U compinit; compinit -D -u; source ~/script.zsh",
  fish: "source ~/script.fish",
};

for (const shell of shells) {
  forEachHost(
    `${shell} on a terminal completes commands, flags, templates and builds`,
    async (bench) => {
      const PATH = await prepare(bench, shell);
      await using terminal = await Terminal.run(bench, interactive[shell], {
        env: {
          PATH,
          XDG_CONFIG_HOME: bench.home,
          TMPDIR: bench.home,
          PS1: "ready> ",
        },
        columns: 100,
      });
      await terminal.shows(/[>#$%] *$/);
      await terminal.type(`${sourcing[shell]}; clear; echo so''urced`);
      await terminal.press("Enter");
      await terminal.shows(/^sourced\n/m);
      await terminal.type("baler val");
      await terminal.press("Tab");
      await terminal.shows(/baler validate/);
      await terminal.type("-syn");
      await terminal.press("Tab");
      await terminal.shows(/baler validate -syntax-only/);
      await terminal.type("sit");
      await terminal.press("Tab");
      await terminal.shows(/-syntax-only site\.json/);
      await terminal.type("-only web-1,d");
      await terminal.press("Tab");
      await terminal.shows(/site\.json -only web-1,db/);
      await terminal.press("Enter");
      await terminal.shows(/Syntax-only check passed/);
    },
    { ignore: missing(shell, "tmux") },
  );
}

/** Names in a template and of files that a shell must not evaluate. */
const hostileNames = [
  "n;touch${IFS}pwned",
  "n$(touch pwned)",
  "n`touch pwned`",
  "n|touch pwned",
  "n'\";touch pwned;'",
  "n:touch:{touch pwned}",
  "n[x]:y:{touch pwned}",
  "n(touch pwned)",
  "n\\;touch pwned",
  "n&&touch pwned&",
  "n>pwned",
  "n*",
];

for (const shell of shells) {
  forEachHost(
    `${shell} on a terminal runs nothing of the names in a template, or of files`,
    async (bench) => {
      const PATH = await prepare(bench, shell);
      for (const [index, name] of hostileNames.entries()) {
        const builders = [{ type: "null", communicator: "none", name }];
        await bench.write(`t${index}.json`, { builders });
        // A file name cannot contain a slash.
        await bench.write(`files/${index}/${name}.json`, { builders });
      }
      await bench.write("p/baler-command-cmd$(touch pwned)", "#!/bin/sh\n", {
        mode: 0o755,
      });
      const { stdout } = await bench.succeeds(["completion", shell], {
        env: { BALER_PLUGIN_PATH: bench.at("p") },
      });
      await bench.write(join(bench.home, `script.${shell}`), stdout);
      await using terminal = await Terminal.run(bench, interactive[shell], {
        env: {
          PATH,
          XDG_CONFIG_HOME: bench.home,
          TMPDIR: bench.home,
          PS1: "ready> ",
        },
        columns: 150,
        rows: 60,
      });
      await terminal.shows(/[>#$%] *$/);
      await terminal.type(`${sourcing[shell]}; clear; echo so''urced`);
      await terminal.press("Enter");
      await terminal.shows(/^sourced\n/m);
      const complete = async (line: string, mark: string) => {
        await terminal.type(line);
        await terminal.press("Tab");
        // The shell itself reads the inserted text as one argument.
        await terminal.type(` # ${mark}`);
        await terminal.shows(new RegExp(`# ${mark}`));
        await terminal.press("Enter");
        await terminal.type(`echo do''ne ${mark}`);
        await terminal.press("Enter");
        await terminal.shows(new RegExp(`^done ${mark}`, "m"));
      };
      for (const index of hostileNames.keys()) {
        const begin = "baler validate -syntax-only";
        await complete(`${begin} t${index}.json -only n`, `only-${index}`);
        await complete(`${begin} -only=n`, `equals-${index}`);
        await complete(`${begin} files/${index}/`, `file-${index}`);
        await complete(`cd files/${index}; ${begin} n`, `name-${index}`);
        await terminal.type(`cd ${shellQuote(bench.path)}`);
        await terminal.press("Enter");
      }
      await complete("baler cmd", "command");
      const everywhere = await new Deno.Command("find", {
        args: [bench.path, bench.home, "-name", "pwned*"],
      }).output();
      assertEquals(new TextDecoder().decode(everywhere.stdout), "");
    },
    { ignore: missing(shell, "tmux"), limitMs: 300_000 },
  );
}

forEachHost("baler completion names the supported shells", async (bench) => {
  for (const args of [[], ["ksh"], ["bash", "zsh"]]) {
    const ended = await bench.baler(["completion", ...args]);
    assertEquals(ended.code, 2, ended.output);
    assertForPeople(ended);
    assertMatch(ended.stderr, /bash, zsh, fish/);
  }
});

forEachHost("completion includes the commands of plugins", async (bench) => {
  await bench.write("p/baler-command-shout", "#!/bin/sh\n", { mode: 0o755 });
  const { stdout } = await bench.succeeds(["completion", "bash"], {
    env: { BALER_PLUGIN_PATH: bench.at("p") },
  });
  assertStringIncludes(stdout, "'shout')");
});
