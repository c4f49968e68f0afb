// The test runner counts and reports what `deno test` does not.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import {
  countsLine,
  parseReport,
  summary,
  type TestResult,
} from "../../tools/run_tests.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const runner = fromFileUrl(import.meta.resolve("../../tools/run_tests.ts"));
const configuration = fromFileUrl(import.meta.resolve("../../deno.json"));

async function run(directory: TemporaryDirectory) {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-all", `--config=${configuration}`, runner],
      ...["--no-check", "--no-config", directory.path],
    ],
    env: { NO_COLOR: "1" },
  }).output();
  return { code, lines: new TextDecoder().decode(stdout).trim().split("\n") };
}

Deno.test("run_tests counts tests, without their steps, and names what failed", async () => {
  await using directory = await TemporaryDirectory.make({
    "a_test.ts": `
      Deno.test("good", async (t) => { await t.step("part", () => {}); });
      Deno.test("a < \\"b\\" & c", async (t) => {
        await t.step("part", () => { throw new Error("bad"); });
      });
      Deno.test({ name: "other (skipped: no moon)", ignore: true, fn() {} });
    `,
  });
  const { code, lines } = await run(directory);
  assertEquals(lines.at(-1), "1 passed, 1 failed, 1 skipped");
  assertEquals(code, 1);
  const report = lines.slice(lines.lastIndexOf("slowest:")).join("\n");
  assertStringIncludes(report, 'a_test.ts: a < "b" & c');
  assertStringIncludes(report, "      1    no moon\n");
  assertStringIncludes(report, "failed: ");
});

Deno.test("run_tests counts a file that ends with an uncaught error as a failure", async () => {
  await using directory = await TemporaryDirectory.make({
    "good_test.ts": `Deno.test("good", () => {});`,
    "lost_test.ts": `
      await Promise.reject(new Error("before its tests"));
      Deno.test("never registered", () => {});
    `,
  });
  const { code, lines } = await run(directory);
  assertEquals(lines.at(-1), "1 passed, 1 failed");
  assertEquals(code, 1);
});

Deno.test("run_tests fails when no test ran, and when a file cannot be loaded", async () => {
  await using none = await TemporaryDirectory.make({
    "none_test.ts": "export {};",
  });
  assertEquals((await run(none)).lines.at(-1), "0 passed, 1 failed");
  await using broken = await TemporaryDirectory.make({
    "broken_test.ts": `import "./gone.ts"; Deno.test("never", () => {});`,
  });
  const { code, lines } = await run(broken);
  assertEquals(lines.at(-1), "0 passed, 1 failed");
  assertEquals(code, 1);
});

Deno.test("parseReport() keeps a test whose name only looks like a step", () => {
  const one = (name: string) =>
    `<testcase name="${name}" classname="./x_test.ts" time="0.5" line="1" col="1">\n</testcase>`;
  const results = parseReport(
    `<testsuites><testsuite name="./x_test.ts" tests="3">${one("a")}${
      one("b &gt; c")
    }${one("a &gt; step")}</testsuite></testsuites>`,
  );
  assertEquals(results.map(({ name }) => name), ["a", "b > c"]);
  assertEquals(results[0]!.file, "x_test.ts");
  assertEquals(results[0]!.seconds, 0.5);
});

Deno.test("summary() lists the ten slowest, slowest first", () => {
  const results: TestResult[] = Array.from({ length: 12 }, (_, index) => ({
    file: "x_test.ts",
    name: `test ${index}`,
    seconds: index,
    outcome: "passed",
  }));
  const lines = summary(results).split("\n");
  assertEquals(lines.length, 11);
  assertEquals(lines[1], "   11.0 s  x_test.ts: test 11");
  assertEquals(lines.at(-1), "    2.0 s  x_test.ts: test 2");
});

Deno.test("countsLine() mentions skipped tests only where there are some", () => {
  assertEquals(
    countsLine({ passed: 3, failed: 0, skipped: 0 }),
    "3 passed, 0 failed",
  );
  assertEquals(
    countsLine({ passed: 3, failed: 1, skipped: 2 }),
    "3 passed, 1 failed, 2 skipped",
  );
});
