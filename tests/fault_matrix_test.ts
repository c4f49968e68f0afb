// Whatever a plugin does, and whenever: the host gives one error that names it, the other builds
// finish, what is alive cleans up, and nothing is left. Every moment with every fault.

import { fromFileUrl } from "@std/path";
import { compile } from "../tools/compile.ts";
import { assertCell } from "./faults/cell.ts";
import { FAULTS, MOMENTS, names } from "./faults/matrix.ts";

const ignore = Deno.build.os !== "linux";

for (const moment of names(MOMENTS)) {
  Deno.test({
    name: `a plugin that goes wrong ${MOMENTS[moment]}`,
    ignore,
    async fn(test) {
      await Promise.all(
        names(FAULTS).map((fault) =>
          test.step({
            name: `it ${FAULTS[fault]}`,
            fn: () => assertCell("source", moment, fault),
            // They run side by side: each would be blamed for what another has open.
            sanitizeOps: false,
            sanitizeResources: false,
            sanitizeExit: false,
          })
        ),
      );
    },
  });
}

Deno.test({
  name: "a compiled plugin of a compiled host goes wrong",
  ignore,
  async fn(test) {
    const [plugin] = await compile([{
      name: "faulty-plugin",
      entry: fromFileUrl(import.meta.resolve("./faults/faulty.ts")),
      flags: ["--allow-all"],
    }], { say: () => {} });
    const faults = names(FAULTS);
    // Each moment once, each fault once.
    await Promise.all(
      names(MOMENTS).map((moment, index) => {
        const fault = faults[(index * 3 + 1) % faults.length]!;
        return test.step({
          name: `${MOMENTS[moment]} it ${FAULTS[fault]}`,
          fn: () => assertCell("compiled", moment, fault, [plugin!.path]),
          sanitizeOps: false,
          sanitizeResources: false,
          sanitizeExit: false,
        });
      }),
    );
  },
});
