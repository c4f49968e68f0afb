// The host of a machine can come from its template or from a cloud. It is an
// argument of ssh, and a part of the command line of its ProxyCommand.

import { assertEquals, assertRejects } from "@std/assert";
import { masterCommand } from "../../plugin/builder/ssh/open_ssh.ts";
import type { SshConfig } from "../../plugin/builder/ssh/ssh_options.ts";

function command(host: string, config: Partial<SshConfig> = {}) {
  return masterCommand(
    { host, port: 22, username: "root" },
    {
      ssh_keep_alive_interval: 5_000,
      ssh_read_write_timeout: 0,
      ssh_bastion_port: 22,
      ...config,
    } as SshConfig,
    "/nowhere",
  );
}

const NO_HOSTS = [
  "-oProxyCommand=touch made",
  "a;touch made",
  "$(touch made)",
  "`touch made`",
  "a b",
  "a'b",
  "a\nb",
  "",
];

Deno.test("what is no host does not reach the command line of ssh", async () => {
  for (const host of NO_HOSTS) {
    await assertRejects(
      () => command(host),
      Error,
      "is not the name or address of a host",
    );
    if (host === "") continue;
    await assertRejects(
      () => command("10.0.0.1", { ssh_bastion_host: host }),
      Error,
      "is not the name or address of a host",
    );
  }
});

Deno.test("names and addresses of hosts are the last argument of ssh", async () => {
  for (
    const host of [
      "10.0.0.1",
      "::1",
      "fe80::1%eth0",
      "a-b.example.com",
      "müller.de",
    ]
  ) {
    assertEquals((await command(host)).argv.at(-1), host);
  }
});
