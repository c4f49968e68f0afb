// The template in docs/docker.md.

import { assert, assertEquals } from "@std/assert";
import { forEachHost } from "../support/harness.ts";
import { dockerBench, missingPodman } from "../support/podman.ts";

forEachHost(
  "the template in docs/docker.md builds an image that runs",
  async (workspace) => {
    const { env, plugins, docker } = await dockerBench(workspace);
    const page = await Deno.readTextFile(
      new URL("../../docs/docker.md", import.meta.url),
    );
    const template = JSON.parse(/```json\n(.*?)\n```/s.exec(page)![1]!);
    await workspace.builds({ plugins, ...template }, [], { env });
    assertEquals(await docker("run", "--rm", "localhost/hello"), "Hello");
    assertEquals(await docker("run", "--rm", "localhost/hello:1.0"), "Hello");
    assert((await Deno.stat(workspace.at("hello.tar"))).isFile);
  },
  { ignore: missingPodman, limitMs: 200_000 },
);
