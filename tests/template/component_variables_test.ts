// Each component gets the user variables that its configuration reads, and
// no others.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { variablesReadBy } from "../../host/plan/component_variables.ts";
import { forEachHost } from "../support/harness.ts";

const variables = {
  values: {
    name: "web",
    secret: "hunter2",
    command: "{{.Vars}} {{user `shell`}} {{.Path}}",
    shell: "sh",
    constructor: "c",
  },
  sensitive: ["secret", "shell"],
};

function readBy(config: unknown): string[] {
  return Object.keys(variablesReadBy(config, variables).userVariables);
}

Deno.test("variablesReadBy() finds a variable wherever a configuration reads it", () => {
  for (
    const text of [
      "{{user `name`}}",
      '{{ user "name" | upper }}',
      "{{if false}}{{user `name`}}{{end}}",
      "{{range .x}}{{else}}{{user `name`}}{{end}}",
      "{{printf `%s` (user `name`)}}",
      "{{(user `name`).x}}",
      '{{define "t"}}{{user `name`}}{{end}}',
      "{{with $x := user `name`}}{{$x}}{{end}}",
      // Not a valid template, but a part of it may be one.
      "{{unknown}} {{user `name`}}",
    ]
  ) {
    assertEquals(readBy({ a: [{ b: text }] }), ["name"], text);
  }
  assertEquals(readBy({ a: "{{user `constructor`}}" }), ["constructor"]);
});

Deno.test("variablesReadBy() follows the value of a variable, which may be interpolated again", () => {
  const read = variablesReadBy("{{user `command`}}", variables);
  assertEquals(Object.keys(read.userVariables), ["command", "shell"]);
  assertEquals(read.sensitiveVariables, ["shell"]);
});

Deno.test("variablesReadBy() returns all variables when a name is computed", () => {
  for (
    const text of [
      "{{user (print `na` `me`)}}",
      "{{`name` | user}}",
      "{{$n := `name`}}{{user $n}}",
      "{{unknown}} {{user $n}}",
    ]
  ) {
    assertEquals(readBy([text]), Object.keys(variables.values), text);
  }
});

Deno.test("variablesReadBy() returns none when no template reads one", () => {
  for (
    const text of [
      "user `name`",
      "{{.user}} {{build `user`}}",
      "{{`user`}}",
      "{{user `undeclared`}}",
      "{{unknown}} user `name`",
    ]
  ) {
    assertEquals(readBy(text), [], text);
  }
});

forEachHost(
  "a plugin gets the variables of its own configuration, and the log hides the values of others",
  async (bench) => {
    const plugin = [
      Deno.execPath(),
      "run",
      "--no-check",
      "--allow-all",
      fromFileUrl(
        import.meta.resolve("../fixtures/builds/variable_names.ts"),
      ),
    ];
    await bench.write("t.json", {
      variables: { mine: "m", secret: "hunter2", other: "o", twice: "t" },
      "sensitive-variables": ["secret"],
      plugins: { provisioners: { telling: plugin } },
      builders: {
        telling: { plugin, type: "telling", text: "{{user `mine`}}" },
      },
      provisioners: [
        {
          type: "telling",
          override: { telling: { inner: ["{{user `secret`}}"] } },
        },
        {
          type: "shell-local",
          inline: ["echo {{user `other`}}", "echo hun''ter2 | sed s/x/y/"],
        },
      ],
    });
    const { output } = await bench.succeeds(["build", "t.json"], {
      env: { BALER_LOG: "1" },
    });
    assertStringIncludes(output, "builder: mine sensitive: \n");
    assertStringIncludes(output, "provisioner: secret sensitive: secret\n");
    // Neither the host nor shell-local's plugin knows how the value is encoded.
    assert(!output.includes("hunter2"), output);
    assertStringIncludes(output, "<sensitive>");
  },
);
