// A short soak in the suite: a hundredth of `deno task soak`, and the same promise.

import { assert } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { NOT_LINUX, skippable } from "../support/programs.ts";

Deno.test({
  ...skippable(
    "ten thousand calls and all that goes with them leave nothing behind",
    NOT_LINUX,
  ),
  async fn() {
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: [
          "run",
          "--quiet",
          "--allow-all",
          "--v8-flags=--expose-gc",
          fromFileUrl(import.meta.resolve("./soak.ts")),
          "--part=100",
        ],
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      },
    ).output();
    const decoder = new TextDecoder();
    assert(success, decoder.decode(stdout) + decoder.decode(stderr));
  },
});
