// Runs `deno test` and reports what its own output does not: the slowest tests, why tests were skipped, and true
// counts. Arguments are passed to `deno test`.
//
//     deno run --allow-all tools/run_tests.ts [DENO-TEST-ARGUMENT...]
//
// The last line is "N passed, N failed", with ", N skipped" where some were; the counts are also written to the file that
// BALER_TEST_COUNTS names, as JSON. The exit code is 0 only when nothing failed and something passed.

import { join } from "@std/path";

/** How many of the slowest tests are listed. */
const SLOWEST = 10;

/** One test of a JUnit report; its steps count as part of it. */
export interface TestResult {
  readonly file: string;
  readonly name: string;
  readonly seconds: number;
  readonly outcome: "passed" | "failed" | "skipped";
}

/** The counts of a run. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Reads a report of `deno test --junit-path`.
 *
 * @param xml The report.
 * @returns Its tests, without the steps, which Deno lists behind their test as `TEST > STEP`.
 */
export function parseReport(xml: string): TestResult[] {
  const results: TestResult[] = [];
  for (const [, suite] of xml.matchAll(/<testsuite (.*?)<\/testsuite>/gs)) {
    const names = new Set<string>();
    const cases = suite!.matchAll(
      /<testcase name="([^"]*)" classname="([^"]*)" time="([^"]*)"[^>]*>(.*?)<\/testcase>/gs,
    );
    for (const [, name, file, time, content] of cases) {
      if (isStep(name!, names)) continue;
      names.add(name!);
      results.push({
        file: unescape(file!).replace(/^\.\//, ""),
        name: unescape(name!),
        seconds: Number(time),
        outcome: /<(failure|error)\b/.test(content!)
          ? "failed"
          : content!.includes("<skipped")
          ? "skipped"
          : "passed",
      });
    }
  }
  return results;
}

function isStep(name: string, tests: ReadonlySet<string>): boolean {
  const separator = " &gt; ";
  let at = name.indexOf(separator);
  while (at !== -1) {
    if (tests.has(name.slice(0, at))) return true;
    at = name.indexOf(separator, at + 1);
  }
  return false;
}

function unescape(text: string): string {
  const characters: Record<string, string> = {
    lt: "<",
    gt: ">",
    quot: '"',
    apos: "'",
    amp: "&",
  };
  return text
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => characters[name]!);
}

/**
 * The report of a run: the slowest tests, and the reasons of those that were skipped.
 *
 * @param results The tests.
 */
export function summary(results: readonly TestResult[]): string {
  const lines: string[] = [];
  const slowest = results.filter(({ outcome }) => outcome !== "skipped")
    .toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
  if (slowest.length > 0) lines.push("slowest:");
  for (const { file, name, seconds } of slowest) {
    lines.push(`${seconds.toFixed(1).padStart(7)} s  ${file}: ${name}`);
  }
  const reasons = new Map<string, number>();
  for (const { name, outcome } of results) {
    if (outcome !== "skipped") continue;
    const [, reason = "no reason given"] =
      /[(;] ?skipped: (.*?)\)?$/.exec(name) ??
        [];
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  if (reasons.size > 0) lines.push("skipped:");
  for (const [reason, count] of reasons) {
    lines.push(`${String(count).padStart(7)}    ${reason}`);
  }
  return lines.join("\n");
}

/** The last line of a run. */
export function countsLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed` +
    (skipped > 0 ? `, ${skipped} skipped` : "");
}

/**
 * Runs tests, shows their output and the summary.
 *
 * @param args The arguments of `deno test`.
 * @returns The counts. What `deno test` reports in its exit code alone counts as one failure, and so does each
 * file that ended with an uncaught error: its tests are not in the report.
 */
export async function runTests(args: readonly string[]): Promise<Counts> {
  const directory = await Deno.makeTempDir({ prefix: "baler-tests-" });
  try {
    const report = join(directory, "junit.xml");
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        "--allow-all",
        "--parallel",
        `--junit-path=${report}`,
        ...args,
      ],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const [{ lost, files }, { code }] = await Promise.all([
      forward(child.stdout),
      child.status,
    ]);
    const results = parseReport(
      await Deno.readTextFile(report).catch(() => ""),
    ).map((result) => ({
      ...result,
      file: files.get(result.name) ?? result.file,
    }));
    const counts: Counts = { passed: 0, failed: lost.length, skipped: 0 };
    for (const { outcome } of results) counts[outcome]++;
    console.log(`\n${summary(results)}`);
    for (const { file, name, outcome } of results) {
      if (outcome === "failed") console.log(`failed: ${file}: ${name}`);
    }
    for (const file of lost) {
      console.log(`failed: ${file} ended with an uncaught error`);
    }
    if (counts.failed === 0 && code !== 0) {
      console.log(`failed: deno test exited with code ${code}`);
      counts.failed++;
    } else if (counts.failed === 0 && counts.passed === 0) {
      console.log("failed: deno test ran no test");
      counts.failed++;
    }
    return counts;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** What the output of `deno test` has and its report has not. */
interface Forwarded {
  /** The files that ended with an uncaught error. */
  readonly lost: string[];
  /** The file of each test, by the test's name: in the report it is the file that registered the test. */
  readonly files: Map<string, string>;
}

/** Writes the output of `deno test` to stdout, and reads it. */
async function forward(
  output: ReadableStream<Uint8Array>,
): Promise<Forwarded> {
  const lost: string[] = [];
  const files = new Map<string, string>();
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of output) {
    for (let written = 0; written < chunk.length;) {
      written += await Deno.stdout.write(chunk.subarray(written));
    }
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      // deno-lint-ignore no-control-regex
      const plain = line.replace(/\x1b\[[0-9;]*m/g, "");
      const [, file] = /^Uncaught error from (?:\.\/)?(.*) FAILED\r?$/.exec(
        plain,
      ) ?? [];
      if (file !== undefined) lost.push(file);
      const [, place, name] =
        /^(?:\.\/)?(\S+) => (.*) \.\.\. (?:ok|FAILED|ignored)\b/.exec(plain) ??
          [];
      if (name !== undefined) files.set(name, place!);
    }
  }
  return { lost, files };
}

if (import.meta.main) {
  const counts = await runTests(Deno.args);
  const file = Deno.env.get("BALER_TEST_COUNTS");
  if (file) await Deno.writeTextFile(file, JSON.stringify(counts));
  console.log(countsLine(counts));
  Deno.exit(counts.failed === 0 ? 0 : 1);
}
