// Short soaks in the suite: a hundredth of `deno task soak`, five seconds of
// `deno task soak:packer`, and the same promises.

import { assert } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { NOT_LINUX, skippable } from "../support/programs.ts";

for (
  const [promise, program, ...flags] of [
    [
      "ten thousand calls and all that goes with them leave nothing behind",
      "./soak.ts",
      "--part=100",
    ],
    [
      "five thousand calls over Packer's wire leave nothing behind",
      "./packer_soak.ts",
      "--seconds=5",
      "--any-pace",
    ],
  ] as const
) {
  Deno.test({
    ...skippable(promise, NOT_LINUX),
    async fn() {
      const { success, stdout, stderr } = await new Deno.Command(
        Deno.execPath(),
        {
          args: [
            "run",
            "--quiet",
            "--allow-all",
            "--v8-flags=--expose-gc",
            fromFileUrl(import.meta.resolve(program)),
            ...flags,
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
}
