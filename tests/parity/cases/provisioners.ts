// Provisioners: their keys in a template, and every option of the bundled ones.

import type { ParityCase } from "../case.ts";
import {
  aFile,
  build,
  local,
  nothing,
  provisioned,
  validate,
} from "./parts.ts";

const run = (name: string, ...provisioners: unknown[]): ParityCase => ({
  name,
  template: provisioned(...provisioners),
});
const refused = (
  name: string,
  provisioner: unknown,
  ...messageParts: string[]
): ParityCase => ({
  name,
  template: provisioned(provisioner),
  args: validate(),
  messageParts,
});
const two = [nothing({ name: "a" }), nothing({ name: "b" })];

/** The cases of provisioners in general. */
export const provisioners: readonly ParityCase[] = [
  {
    name: "only",
    template: {
      builders: two,
      provisioners: [local("echo only a", { only: ["a"] }), local("echo both")],
    },
    args: build("-parallel-builds=1"),
    unordered: true,
  },
  {
    name: "except",
    template: {
      builders: two,
      provisioners: [local("echo only b", { except: ["a"] })],
    },
    unordered: true,
  },
  refused(
    "only-unknown",
    local("true", { only: ["x"] }),
    "only",
    "x",
    "not found",
  ),
  refused(
    "except-unknown",
    local("true", { except: ["x"] }),
    "except",
    "x",
    "not found",
  ),
  refused(
    "only-and-except",
    local("true", { only: ["null"], except: ["null"] }),
    "only one of 'only' or 'except'",
  ),
  refused(
    "execute-command-broken",
    local("true", { execute_command: ["sh", "{{nope}}"] }),
    "execute_command",
    'function "nope" not defined',
  ),
  refused(
    "shell-execute-command-broken",
    { type: "shell", inline: ["true"], execute_command: "{{.Path" },
    "execute_command",
    "unclosed action",
  ),
  {
    name: "file-direction-empty",
    template: provisioned({
      type: "file",
      source: "template.json",
      destination: "x",
      direction: "",
    }),
    args: validate(),
  },
  run("pause-without-unit", local("true", { pause_before: 1500 })),
  run("pause-in-nanoseconds", local("true", { pause_before: "25ns" })),
  run("pause-in-milliseconds", local("true", { pause_before: "1.5ms" })),
  {
    name: "retries-wrong-of-one-of-two",
    template: {
      builders: two,
      provisioners: [local("echo x", { only: ["b"], max_retries: "often" })],
    },
    messageParts: [
      'failed to initialize build "b"',
      "max_retries",
      "valid integer",
    ],
  },
  {
    name: "override-a-text-of-one-of-two",
    template: {
      builders: two,
      provisioners: [local("echo x", { override: { b: "text" } })],
    },
    messageParts: ["expected a map"],
  },
  {
    name: "override-a-text-is-well-formed",
    template: provisioned(local("echo x", { override: { null: "text" } })),
    args: validate("-syntax-only"),
  },
  run("only-empty", local("echo x", { only: [] })),
  {
    name: "only-by-type-of-a-named",
    template: {
      builders: [nothing({ name: "a" })],
      provisioners: [local("true", { only: ["null"] })],
    },
    args: validate(),
    messageParts: ["null", "not found"],
  },
  {
    name: "override",
    template: {
      builders: two,
      provisioners: [
        local("echo of all", {
          environment_vars: ["X=1"],
          override: { b: { inline: ["echo of b $X"] } },
        }),
      ],
    },
    unordered: true,
  },
  refused(
    "override-unknown",
    local("true", { override: { x: {} } }),
    "override",
    "x",
    "doesn't exist",
  ),
  refused(
    "override-with-unknown-key",
    local("true", { override: { null: { foo: 1 } } }),
    "foo",
  ),
  refused(
    "override-a-text",
    local("true", { override: { null: "x" } }),
    "null",
  ),
  run("pause-before", local("echo x", { pause_before: "10ms" })),
  run("pause-before-zero", local("echo x", { pause_before: "0s" })),
  refused(
    "pause-before-malformed",
    local("true", { pause_before: "soon" }),
    "pause_before",
    "soon",
  ),
  refused(
    "pause-before-no-unit",
    local("true", { pause_before: "10" }),
    "pause_before",
  ),
  run("pause-before-negative", local("echo x", { pause_before: "-5s" })),
  {
    name: "timeout-after-pause",
    template: provisioned(
      local("sleep 1; echo x", { pause_before: "10ms", timeout: "100ms" }),
    ),
    differs: {
      why: "timeout-after-pause",
      ok: false,
      messageParts: ["timeout"],
    },
  },
  run("timeout-long", local("echo x", { timeout: "1h" })),
  run(
    "what-a-script-is-told-of-the-build",
    local(
      'echo "$PACKER_BUILD_NAME $PACKER_BUILDER_TYPE [$PACKER_HTTP_ADDR] ${#PACKER_RUN_UUID}"',
    ),
  ),
  run("timeout-of-a-month", local("sleep 0.2", { timeout: "720h" })),
  {
    name: "timeout-short",
    template: provisioned(local("exec sleep 20", { timeout: "200ms" })),
    messageParts: ["timeout"],
  },
  refused(
    "timeout-malformed",
    local("true", { timeout: "never" }),
    "timeout",
    "never",
  ),
  run(
    "max-retries",
    local("echo again; mkdir once 2>/dev/null && exit 1; exit 0", {
      max_retries: 2,
    }),
  ),
  run(
    "max-retries-text",
    local("mkdir once 2>/dev/null && exit 1; exit 0", { max_retries: "1" }),
  ),
  {
    name: "max-retries-used-up",
    template: provisioned(local("echo try; exit 4", { max_retries: 2 })),
    messageParts: ["exit status: 4"],
  },
  refused(
    "max-retries-malformed",
    local("true", { max_retries: "many" }),
    "max_retries",
  ),
  {
    name: "max-retries-of-a-variable",
    template: {
      variables: { n: "1" },
      ...provisioned(
        local("mkdir once 2>/dev/null && exit 1; exit 0", {
          max_retries: "{{user `n`}}",
        }),
      ),
    },
  },
  {
    name: "stops-at-the-first-that-fails",
    template: provisioned(local("echo 1"), local("exit 7"), local("echo 3")),
  },
  {
    name: "cleanup-of-an-error",
    template: {
      ...provisioned(local("exit 7")),
      "error-cleanup-provisioner": local("echo cleaning; touch cleaned"),
    },
  },
  {
    name: "cleanup-without-an-error",
    template: {
      ...provisioned(local("true")),
      "error-cleanup-provisioner": local("touch cleaned"),
    },
  },
  {
    name: "cleanup-that-fails",
    template: {
      ...provisioned(local("exit 7")),
      "error-cleanup-provisioner": local("exit 8"),
    },
    messageParts: ["7", "8"],
  },
  {
    name: "cleanup-and-abort",
    template: {
      ...provisioned(local("exit 7")),
      "error-cleanup-provisioner": local("touch cleaned"),
    },
    args: build("-on-error=abort"),
  },
  {
    name: "cleanup-alone",
    template: {
      ...provisioned(local("exit 7")),
      "error-cleanup-provisioner": local("touch cleaned"),
    },
    args: build("-on-error=run-cleanup-provisioner"),
  },
  {
    name: "cleanup-with-file-builder",
    template: {
      builders: [aFile()],
      provisioners: [local("exit 7")],
      "error-cleanup-provisioner": local("touch cleaned"),
    },
    messageParts: ["exit status: 7"],
    differs: {
      why: "failed-file-builder",
      ok: false,
      messageParts: ["exit status: 7"],
      files: [],
    },
  },
  {
    name: "file-builder-kept-on-abort",
    template: { builders: [aFile()], provisioners: [local("exit 7")] },
    args: build("-on-error=abort"),
  },
  refused("cleanup-unknown-key", { ...local("true"), foo: 1 }, "foo"),
  {
    name: "cleanup-wrong",
    template: {
      builders: [nothing()],
      "error-cleanup-provisioner": { type: "shell-local" },
    },
    args: validate(),
    messageParts: ["inline"],
  },
  refused(
    "keys-of-all-provisioners-misspelt",
    local("true", { pause_befor: "1s" }),
    "pause_befor",
  ),
  {
    name: "breakpoint-where-nobody-can-be-asked",
    template: provisioned({ type: "breakpoint", note: "hey" }, local("echo x")),
    messageParts: ["error asking for input"],
  },
  {
    name: "on-error-ask-where-nobody-can-be-asked",
    template: {
      ...provisioned(local("exit 3")),
      "error-cleanup-provisioner": local("touch cleaned"),
    },
    args: build("-on-error=ask"),
  },
  {
    name: "debug-where-nobody-can-be-asked",
    template: provisioned(local("echo x")),
    args: build("-debug"),
  },
  run("pause-before-a-number", local("echo x", { pause_before: 1_000_000 })),
  run("only-a-text", local("echo x", { only: "null" })),
  {
    name: "breakpoint-disabled",
    template: provisioned({
      type: "breakpoint",
      disable: true,
      note: "not now",
    }),
  },
  {
    name: "breakpoint-disabled-without-a-note",
    template: provisioned({ type: "breakpoint", disable: "true" }),
  },
  refused(
    "breakpoint-unknown-key",
    { type: "breakpoint", notes: "x" },
    "notes",
  ),
  run("sleep", { type: "sleep", duration: "20ms" }, local("echo x")),
  run("sleep-without-a-duration", { type: "sleep" }),
  run("sleep-null", { type: "sleep", duration: null }),
  run("sleep-negative", { type: "sleep", duration: "-5m" }),
  run("sleep-zero", { type: "sleep", duration: 0 }),
  {
    name: "sleep-longer-than-its-timeout",
    template: provisioned({ type: "sleep", duration: "720h", timeout: "50ms" }),
    messageParts: ["timeout"],
  },
  refused("sleep-no-unit", { type: "sleep", duration: "5" }, "duration"),
  refused("sleep-empty", { type: "sleep", duration: "" }, "duration"),
  refused("sleep-list", { type: "sleep", duration: ["1s"] }, "duration"),
  refused("sleep-unknown-key", { type: "sleep", seconds: 5 }, "seconds"),
  {
    name: "sleep-a-number",
    template: provisioned({ type: "sleep", duration: 5 }),
    args: validate(),
    differs: { why: "no-nanoseconds", ok: false, messageParts: ["duration"] },
  },
  {
    name: "sleep-a-variable",
    template: {
      variables: { d: "10ms" },
      ...provisioned({ type: "sleep", duration: "{{user `d`}}" }),
    },
    differs: { why: "sleep-variables", ok: true, messageParts: ["finished"] },
  },
];

const shell = (more: Record<string, unknown> = {}) => ({
  type: "shell",
  inline: ["echo x"],
  ...more,
});
const shellRun = (name: string, more: Record<string, unknown>): ParityCase => ({
  name: `shell-${name}`,
  template: { builders: [aFile()], provisioners: [shell(more)] },
});
const shellRefused = (
  name: string,
  more: Record<string, unknown>,
  ...messageParts: string[]
): ParityCase => ({
  ...refused(`shell-${name}`, shell(more), ...messageParts),
});

/** The cases of shell and file: under the file builder, whose machine takes everything. */
export const remote: readonly ParityCase[] = [
  shellRun("plain", {}),
  {
    name: "shell-script",
    template: {
      builders: [aFile()],
      provisioners: [{ type: "shell", script: "s.sh" }],
    },
    files: { "s.sh": "#!/bin/sh\necho x\n" },
  },
  {
    name: "shell-scripts",
    template: {
      builders: [aFile()],
      provisioners: [{
        type: "shell",
        scripts: ["s.sh", "t.sh"],
        binary: true,
      }],
    },
    files: { "s.sh": "#!/bin/sh\necho x\r\n", "t.sh": "#!/bin/sh\n" },
  },
  shellRun("every-option", {
    inline_shebang: "/bin/sh -ex",
    environment_vars: ["A=b", "C=d e"],
    env_var_format: "%s=%s ",
    use_env_var_file: true,
    execute_command: "env {{.Vars}} sh {{.Path}} {{.EnvVarFile}}",
    remote_folder: "/var/tmp",
    remote_file: "there.sh",
    skip_clean: true,
    expect_disconnect: true,
    start_retry_timeout: "1m",
    valid_exit_codes: [0, 3],
    pause_after: "1ms",
  }),
  shellRun("remote-path", { remote_path: "/elsewhere/x.sh" }),
  shellRefused("nothing-to-run", { inline: undefined }, "inline"),
  shellRefused("inline-and-script", { script: "s.sh" }, "script"),
  shellRefused(
    "script-and-scripts",
    { inline: undefined, script: "a", scripts: ["b"] },
    "script",
    "scripts",
  ),
  shellRefused(
    "script-missing",
    { inline: undefined, script: "gone.sh" },
    "gone.sh",
    "no such file",
  ),
  shellRefused(
    "bad-variable",
    { environment_vars: ["novalue"] },
    "novalue",
    "key=value",
  ),
  shellRefused(
    "bad-variable-name",
    { environment_vars: ["=x"] },
    "=x",
    "key=value",
  ),
  shellRefused(
    "bad-exit-codes",
    { valid_exit_codes: ["x"] },
    "valid_exit_codes",
  ),
  shellRefused(
    "bad-start-retry-timeout",
    { start_retry_timeout: "x" },
    "start_retry_timeout",
  ),
  shellRefused("bad-pause-after", { pause_after: "x" }, "pause_after"),
  shellRefused("unknown-key", { inlin: "x" }, "inlin"),
  shellRefused(
    "environment-vars-an-object",
    { environment_vars: { A: "b" } },
    "environment_vars",
  ),
  {
    name: "shell-without-a-machine",
    template: provisioned(shell({ start_retry_timeout: "100ms" })),
    messageParts: ["communicator"],
  },
  {
    name: "upload",
    template: {
      builders: [aFile()],
      provisioners: [
        { type: "file", source: "in.txt", destination: "/x/out.txt" },
        {
          type: "file",
          sources: ["in.txt", "other.txt"],
          destination: "/x/",
          direction: "upload",
        },
      ],
    },
    files: { "in.txt": "in", "other.txt": "other" },
  },
  {
    name: "upload-folder",
    template: {
      builders: [aFile()],
      provisioners: [{ type: "file", source: "sub", destination: "/x" }, {
        type: "file",
        source: "sub/",
        destination: "/x",
      }],
    },
    files: { "sub/in.txt": "in" },
  },
  {
    name: "upload-generated",
    template: {
      builders: [aFile()],
      provisioners: [local("echo made > made.txt"), {
        type: "file",
        source: "made.txt",
        destination: "/x/",
        generated: true,
      }],
    },
  },
  {
    name: "upload-generated-never",
    template: {
      builders: [aFile()],
      provisioners: [{
        type: "file",
        source: "made.txt",
        destination: "/x/",
        generated: true,
      }],
    },
    args: build("-on-error=abort"),
    messageParts: ["made.txt", "no such file"],
  },
  {
    name: "upload-without-a-machine",
    template: provisioned({
      type: "file",
      source: "template.json",
      destination: "/x/",
    }),
    messageParts: ["not implemented when communicator = 'none'"],
  },
  refused(
    "upload-source-missing",
    { type: "file", source: "gone", destination: "x" },
    "bad source 'gone'",
    "no such file",
  ),
  refused(
    "upload-no-source",
    { type: "file", destination: "x" },
    "source must be specified",
  ),
  refused(
    "upload-no-destination",
    { type: "file", source: "template.json" },
    "destination must be specified",
  ),
  refused("upload-bad-direction", {
    type: "file",
    source: "template.json",
    destination: "x",
    direction: "sideways",
  }, "direction must be one of"),
  refused("upload-unknown-key", {
    type: "file",
    source: "template.json",
    destination: "x",
    dest: "y",
  }, "dest"),
  {
    name: "download",
    template: {
      builders: [aFile()],
      provisioners: [{
        type: "file",
        source: "/there/x.txt",
        destination: "got/x.txt",
        direction: "download",
      }],
    },
  },
  {
    name: "download-into-folder",
    template: {
      builders: [aFile()],
      provisioners: [{
        type: "file",
        source: "/there/x.txt",
        destination: "got/",
        direction: "download",
      }],
    },
  },
];
