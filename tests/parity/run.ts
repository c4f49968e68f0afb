// Runs a case, with baler or with Packer, in a separate directory, and returns
// what came of it.

import { type Ended, type HostKind, Workspace } from "../support/harness.ts";
import { argsOf, type Outcome, type ParityCase } from "./case.ts";
import { comparableEvents, comparableFiles, written } from "./normalize.ts";
import { HANG_LIMIT_MS, within } from "../support/within.ts";

/** What runs a case. */
export type Program = HostKind | "packer";

/** A run of a case: its result and its output. */
export interface Ran extends Outcome {
  readonly output: string;
}

/**
 * Runs a case.
 *
 * @param one The case.
 * @param program What runs it.
 */
export async function runCase(one: ParityCase, program: Program): Promise<Ran> {
  const bench = await Workspace.make(program === "packer" ? "source" : program);
  try {
    const given = Object.entries(one.files ?? {});
    if (one.template !== undefined) given.push(["template.json", one.template]);
    for (const [name, content] of given) {
      await bench.write(name, written(content), {
        mode: name.endsWith(".sh") ? 0o755 : 0o644,
      });
    }
    const ended = program === "packer"
      ? await packer(bench, one)
      : await within(
        one.name,
        bench.baler(argsOf(one), { stdin: one.stdin, env: one.env }),
      );
    if (program !== "packer") await bench.assertNothingLeft();
    const places = {
      work: bench.path,
      tmp: bench.env.TMPDIR!,
      home: bench.home,
    };
    const machineReadable = argsOf(one).includes("-machine-readable");
    return {
      ok: ended.code === 0,
      events: comparableEvents(ended.stdout, places, one, machineReadable),
      files: await comparableFiles(places, one),
      output: ended.output,
    };
  } finally {
    await bench.clear();
  }
}

async function packer(bench: Workspace, one: ParityCase): Promise<Ended> {
  const child = new Deno.Command("packer", {
    args: [...argsOf(one)],
    cwd: bench.path,
    env: { ...bench.env, CHECKPOINT_DISABLE: "1", ...one.env },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(HANG_LIMIT_MS),
  }).spawn();
  const writer = child.stdin.getWriter();
  // It may end without having read it.
  writer.write(new TextEncoder().encode(one.stdin ?? "")).then(
    () => writer.close(),
  ).catch(() => {});
  const { code, ...bytes } = await child.output();
  const [stdout, stderr] = [bytes.stdout, bytes.stderr].map((it) =>
    new TextDecoder().decode(it)
  ) as [string, string];
  return { code, stdout, stderr, output: stdout + stderr };
}

/**
 * Runs cases, a few at a time.
 *
 * @param cases The cases.
 * @param run What to do with each.
 * @returns What came of each, by its name.
 */
export async function runAll<T>(
  cases: readonly ParityCase[],
  run: (one: ParityCase) => Promise<T>,
): Promise<Map<string, T>> {
  const results = new Map<string, T>();
  const left = cases.values();
  const worker = async () => {
    for (const one of left) results.set(one.name, await run(one));
  };
  const workers = navigator.hardwareConcurrency + 1;
  await Promise.all(Array.from({ length: workers }, worker));
  return results;
}
