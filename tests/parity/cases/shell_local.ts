// shell-local, as a provisioner and as a post-processor: every option.

import type { ParityCase } from "../case.ts";
import {
  aFile,
  local,
  nothing,
  packed,
  provisioned,
  validate,
} from "./parts.ts";

const run = (
  name: string,
  more: Record<string, unknown>,
  rest: Partial<ParityCase> = {},
): ParityCase => ({
  name: `local-${name}`,
  template: provisioned({ type: "shell-local", ...more }),
  ...rest,
});
const refused = (
  name: string,
  more: Record<string, unknown>,
  ...messageParts: string[]
): ParityCase => run(name, more, { args: validate(), messageParts });

/** The cases. */
export const shellLocal: readonly ParityCase[] = [
  run("command", { command: "echo one; echo two >&2" }, {
    unordered: true,
    sample: true,
  }),
  run("inline", { inline: ["x=1", "echo $x"] }),
  run("inline-a-text", { inline: "echo x" }),
  run("inline-stops-at-an-error", {
    inline: ["echo before", "false", "echo after"],
  }),
  run("inline-shebang", {
    inline: ["false", "echo $0 | grep -c /"],
    inline_shebang: "/bin/sh",
  }),
  run("script", { script: "s.sh" }, {
    files: { "s.sh": "#!/bin/sh\necho in $PWD\n" },
  }),
  run("scripts", { scripts: ["s.sh", "sub/t.sh"] }, {
    files: { "s.sh": "#!/bin/sh\necho s\n", "sub/t.sh": "#!/bin/sh\necho t\n" },
  }),
  run("script-not-executable", { script: "s" }, {
    files: { s: "echo s\n" },
    messageParts: ["exit status: 126"],
  }),
  run("environment-vars", {
    inline: ['echo "$A|$B|$C"'],
    environment_vars: ["A=b", 'B=it\'s = "$HOME"', "C="],
  }),
  run("environment-vars-a-text", {
    inline: ["echo $A"],
    environment_vars: "A=b",
  }),
  run("env-var-format", {
    inline: ["echo $A"],
    environment_vars: ["A=b c"],
    env_var_format: '%s="%s"; ',
    execute_command: ["/bin/sh", "-c", "{{.Vars}} export A; {{.Script}}"],
  }),
  run("execute-command", {
    inline: ["echo $A"],
    environment_vars: ["A=b"],
    execute_command: [
      "/bin/sh",
      "-c",
      "echo '{{.Command}}' | wc -l; {{.Vars}} sh {{.Script}}",
    ],
  }),
  run("execute-command-a-text", {
    inline: ["echo x"],
    execute_command: "/bin/true",
  }),
  run("execute-command-missing", {
    inline: ["echo x"],
    execute_command: ["/nowhere/sh", "{{.Script}}"],
  }, {
    messageParts: ["script"],
  }),
  run("only-on-this", { inline: ["echo x"], only_on: ["linux"] }),
  run("only-on-another", {
    inline: ["echo x"],
    only_on: ["windows", "darwin"],
  }),
  run("tempfile-extension", {
    inline: ["case $0 in *.foo) echo foo;; esac"],
    tempfile_extension: ".foo",
  }),
  run("valid-exit-codes", { inline: ["exit 3"], valid_exit_codes: [0, 3] }),
  run("valid-exit-codes-texts", {
    inline: ["exit 3"],
    valid_exit_codes: ["3"],
  }),
  run("valid-exit-codes-without-zero", {
    inline: ["exit 0"],
    valid_exit_codes: [3],
  }),
  run("killed", { inline: ["kill -9 $$"] }, { messageParts: ["exit status"] }),
  run("variables-of-packer", {
    inline: ["env | grep ^PACKER_BUILD | sort"],
  }),
  run("run-uuid", { inline: ["echo ${#PACKER_RUN_UUID}"] }, {}),
  run("no-end-of-line", { inline: ["printf 'a\\nb'"] }),
  run("empty-lines", { inline: ["printf 'a\\n\\n  b\\t,c\\n'"] }),
  run("carriage-returns", { inline: ["printf 'a\\rb\\r\\nc\\n'"] }),
  run("many-lines", { inline: ["seq 1 200"] }),
  run("reads-nothing", { inline: ["cat; echo done"] }),
  refused("nothing-to-run", {}, "command", "inline", "script"),
  refused("two-to-run", { inline: ["x"], command: "y" }, "only specify one of"),
  refused(
    "script-and-scripts",
    { script: "a.sh", scripts: ["b.sh"] },
    "script",
  ),
  refused("script-missing", { script: "gone.sh" }, "gone.sh", "no such file"),
  refused(
    "bad-variable",
    { inline: ["x"], environment_vars: ["A"] },
    "environment variable",
    "a",
  ),
  refused("only-on-unheard-of", { inline: ["x"], only_on: ["beos"] }, "beos"),
  refused("unknown-key", { inline: ["x"], comand: "x" }, "comand"),
  refused(
    "use-linux-pathing",
    { inline: ["x"], use_linux_pathing: true },
    "linux",
  ),
  refused("inline-an-object", { inline: { a: "b" } }, "inline"),
  refused(
    "bad-exit-codes",
    { inline: ["x"], valid_exit_codes: ["x"] },
    "valid_exit_codes",
  ),
  {
    name: "local-post-processor",
    template: packed({
      type: "shell-local",
      inline: ["cat a.txt; echo", "echo $PACKER_BUILD_NAME $A"],
      environment_vars: ["A=b"],
    }),
  },
  {
    name: "local-post-processor-fails",
    template: packed([{ type: "shell-local", inline: ["exit 5"] }, "manifest"]),
  },
  {
    name: "local-post-processor-discards",
    template: packed({
      type: "shell-local",
      inline: ["true"],
      keep_input_artifact: false,
    }),
  },
  {
    name: "local-post-processor-nothing-to-run",
    template: packed({ type: "shell-local" }),
    args: validate(),
    messageParts: ["inline"],
  },
  {
    name: "local-with-template",
    template: {
      variables: { greeting: "hi, you" },
      builders: [nothing({ name: "n" }), aFile({ name: "f" })],
      provisioners: [
        local(
          "echo {{user `greeting`}} {{build_name}} {{build_type}} {{build `ID`}}",
          { only: ["n"] },
        ),
      ],
    },
    unordered: true,
  },
];
