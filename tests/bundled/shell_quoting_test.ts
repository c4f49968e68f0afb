// What a builder publishes, and what a template names, reaches a script as data:
// none of it is read as a command by a shell on the way.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import Shell from "../../plugin/bundled/provisioners/shell.ts";
import ShellLocal from "../../plugin/bundled/provisioners/shell_local.ts";
import { LocalCommunicator } from "../../plugin/builder/communicators/local.ts";
import { ConfigError } from "../../plugin/contract/config_error.ts";
import type { BuildContext } from "../../plugin/contract/build_context.ts";
import { prepared, provisioned } from "../support/component_runner.ts";
import { buildContext, RecordingUi } from "../support/recording_ui.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const HOSTILE =
  `x'; touch pwned; : '"; touch pwned; $(touch pwned) \`touch pwned\``;

/** The ways in which a script gets its variables. */
const WAYS: [
  name: string,
  component: () => Shell | ShellLocal,
  config: Record<string, unknown>,
][] = [
  ["shell-local", () => new ShellLocal(), {}],
  ["shell", () => new Shell(), { remote_folder: "." }],
  ["shell with use_env_var_file", () => new Shell(), {
    remote_folder: ".",
    use_env_var_file: true,
  }],
];

async function run(
  component: Shell | ShellLocal,
  { dir, config, data = {}, build = {}, rendered = {} }: {
    dir: string;
    config: Record<string, unknown>;
    data?: Record<string, unknown>;
    build?: Partial<BuildContext>;
    rendered?: Record<string, unknown>;
  },
): Promise<string[]> {
  const ui = new RecordingUi();
  await prepared(component, config, buildContext(dir, build), rendered);
  await using communicator = new LocalCommunicator({ workingDirectory: dir });
  const signal = new AbortController().signal;
  await component.provision({ ui, communicator, data, signal });
  return ui.lines.slice(1);
}

async function assertNotPwned(dir: string): Promise<void> {
  for await (const { name } of Deno.readDir(dir)) {
    assert(name !== "pwned", "a command of the attacker's has run");
  }
}

for (const [name, component, config] of WAYS) {
  Deno.test(`${name} refuses an HTTP server's address that is none`, async () => {
    for (const key of ["PackerHTTPAddr", "PackerHTTPIP", "PackerHTTPPort"]) {
      await using dir = await TemporaryDirectory.make();
      await assertRejects(
        () =>
          run(component(), {
            dir: dir.path,
            config: { ...config, inline: ["true"] },
            data: { [key]: HOSTILE },
          }),
        Error,
        `as ${key}, which is no host name, address or port`,
      );
      await assertNotPwned(dir.path);
    }
  });

  Deno.test(`${name} gives scripts an HTTP server's address`, async () => {
    await using dir = await TemporaryDirectory.make();
    const lines = await run(component(), {
      dir: dir.path,
      config: {
        ...config,
        inline: ['echo "$PACKER_HTTP_ADDR $PACKER_HTTP_IP $PACKER_HTTP_PORT"'],
      },
      data: {
        PackerHTTPAddr: "[fe80::1%eth0]:8080",
        PackerHTTPIP: "fe80::1%eth0",
        PackerHTTPPort: "8080",
      },
    });
    assertEquals(lines, ["message: [fe80::1%eth0]:8080 fe80::1%eth0 8080"]);
  });

  Deno.test(`${name} gives scripts every value as it is`, async () => {
    const values = [
      "it's",
      HOSTILE,
      "a\nb",
      "a\r\nb",
      "\\",
      "\\'",
      "$HOME",
      "!x",
      "*",
      "",
      " ",
      "a=b",
      "ü\u2028",
    ];
    for (const value of values) {
      await using dir = await TemporaryDirectory.make();
      await run(component(), {
        dir: dir.path,
        config: {
          ...config,
          inline: [
            'printf "%s|" "$GIVEN" "$DATA" "$PACKER_BUILD_NAME" "$PACKER_BUILDER_TYPE" >seen',
          ],
        },
        rendered: { environment_vars: [`GIVEN=${value}`, "DATA={{.ID}}"] },
        data: { ID: value },
        build: { name: value, type: value },
      });
      assertEquals(
        await Deno.readTextFile(join(dir.path, "seen")),
        `${value}|`.repeat(4),
      );
      await assertNotPwned(dir.path);
    }
  });

  Deno.test(`${name} refuses names that are none for a variable`, async () => {
    await using dir = await TemporaryDirectory.make();
    for (
      const name of [
        "a;touch pwned;b",
        "a b",
        "1a",
        "a-b",
        "$(touch pwned)",
        "a\nb",
        "ä",
      ]
    ) {
      const error = await assertRejects(
        () =>
          prepared(
            component(),
            { ...config, inline: ["true"], environment_vars: [`${name}=1`] },
            buildContext(dir.path),
          ),
        ConfigError,
        "is not the name of an environment variable",
      );
      assertEquals(error.problems[0]!.path, ["environment_vars", 0]);
      await assertRejects(
        () =>
          run(component(), {
            dir: dir.path,
            config: { ...config, inline: ["true"] },
            rendered: { environment_vars: ["{{.ID}}=1"] },
            data: { ID: name },
          }),
        Error,
        "is not the name of an environment variable",
      );
    }
    await assertNotPwned(dir.path);
  });

  Deno.test(`${name} refuses a NUL character in a value`, async () => {
    await using dir = await TemporaryDirectory.make();
    await assertRejects(
      () =>
        run(component(), {
          dir: dir.path,
          config: { ...config, inline: ["true"] },
          build: { name: "a\0b" },
        }),
      Error,
      "contains a NUL character",
    );
  });

  Deno.test(`${name} does not put a builder's value unquoted into env_var_format`, async () => {
    await using dir = await TemporaryDirectory.make();
    const formatted = (format: string, vars: string[]) =>
      run(component(), {
        dir: dir.path,
        config: {
          ...config,
          inline: ['echo "$A"'],
          env_var_format: format,
          ...(config.use_env_var_file ? {} : {
            execute_command: component() instanceof ShellLocal
              ? ["/bin/sh", "-c", "{{.Vars}} sh {{.Script}}"]
              : "{{.Vars}} sh {{.Path}}",
          }),
        },
        rendered: { environment_vars: vars },
        data: { ID: HOSTILE, Safe: "10.0.0.1" },
      });
    for (
      const format of [
        'export %s="%s"; ',
        "export %s=%s; ",
        'export %[1]s=\\"%[2]s; ',
      ]
    ) {
      await assertRejects(
        () => formatted(format, ["A={{.ID}}"]),
        Error,
        'put single quotes around it in "env_var_format"',
      );
    }
    assertEquals(await formatted("export %s='%s'; ", ["A={{.ID}}"]), [
      `message: ${HOSTILE}`,
    ]);
    assertEquals(await formatted("export %s=%s; ", ["A={{.Safe}}"]), [
      "message: 10.0.0.1",
    ]);
    // What the template's author writes there may be meant for the shell.
    assertEquals(await formatted('export %s="%s"; ', ["A=$((1+1)) it's"]), [
      "message: 2 it's",
    ]);
    await assertNotPwned(dir.path);
  });
}

const ODD = `it's "odd" $(touch pwned) \`x\`; -n *`;

Deno.test("shell quotes paths in its commands, and in a template's where they need it", async () => {
  await using outer = await TemporaryDirectory.make();
  const dir = join(outer.path, ODD);
  await Deno.mkdir(dir);
  const commands = [
    {},
    { use_env_var_file: true },
    { execute_command: "sh {{.Path}}" },
    { execute_command: "sh '{{.Path}}'" },
    { execute_command: 'sh "{{.Path}}"' },
    { execute_command: 'true \'a "\'; sh "{{.Path}}"' },
  ];
  for (const config of commands) {
    for (
      const place of [
        { remote_folder: dir },
        { remote_path: join(dir, "a b'.sh") },
        { remote_path: "-rf" },
      ]
    ) {
      const lines = await run(new Shell(), {
        dir,
        config: { inline: ["echo ran"], ...config, ...place },
      });
      assertEquals(lines, ["message: ran"]);
    }
  }
  assertEquals(await Array.fromAsync(Deno.readDir(dir)), []);
  await assertNotPwned(outer.path);
});

Deno.test("shell-local runs scripts whose paths need quotes", async () => {
  await using outer = await TemporaryDirectory.make();
  const dir = join(outer.path, ODD);
  await Deno.mkdir(dir);
  const script = join(dir, "a b.sh");
  await Deno.writeTextFile(script, "#!/bin/sh\necho ran\n", { mode: 0o755 });
  const commands = [
    undefined,
    ["/bin/sh", "-c", "{{.Vars}} {{.Script}}"],
    ["/bin/sh", "-c", "sh '{{.Command}}'"],
    ["/bin/sh", "-e", "-c", 'sh "{{.Script}}"'],
    ["/bin/sh", "{{.Script}}"],
  ];
  for (const execute_command of commands) {
    for (const path of ["a b.sh", script]) {
      const lines = await run(new ShellLocal(), {
        dir,
        config: {
          script: path,
          ...(execute_command ? { execute_command } : {}),
        },
      });
      assertEquals(lines, ["message: ran"]);
    }
  }
  await assertNotPwned(dir);
});

Deno.test("shell accepts names with dots where the template sets variables itself", async () => {
  await using dir = await TemporaryDirectory.make();
  const lines = await provisioned(new Shell(), {
    dir: dir.path,
    config: {
      inline: ["true"],
      remote_folder: dir.path,
      environment_vars: ["my.name=1"],
      execute_command: "env {{.Vars}} env | grep my.name",
    },
  });
  assertEquals(lines.slice(1), ["message: my.name=1"]);
});
