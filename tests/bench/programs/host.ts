// The host that is measured: launches plugins by `@baler/baler/host`'s library
// and calls them. Its arguments: the plugin's command as JSON, and the path of
// a hello-world.

import { launch, type Plugin } from "../../../host/mod.ts";
import { driven, echoWorks, SMALL, thousandUnderWay } from "./driven.ts";

interface Bench {
  echo(value: unknown): Promise<unknown>;
  give(bytes: number): Promise<ReadableStream<Uint8Array>>;
  take(stream: ReadableStream<Uint8Array>): Promise<number>;
}

const [command = "[]", helloPath = ""] = Deno.args;
const argv: string[] = JSON.parse(command);

async function ready(): Promise<{ plugin: Plugin; bench: Bench }> {
  const plugin = await launch(argv);
  return { plugin, bench: await plugin.create<Bench>("bench", "") };
}

async function hello(): Promise<void> {
  await new Deno.Command(helloPath, {
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
}

/** Does something `count` times, two at a time. */
async function twoAtATime(
  count: number,
  work: () => Promise<unknown>,
): Promise<void> {
  let left = count;
  const lane = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all([lane(), lane()]);
}

const first = await ready();
const second = await ready();
let many: { plugin: Plugin; bench: Bench }[] = [];

await driven({
  ...echoWorks((value) => first.bench.echo(value)),

  async stream(bytes) {
    const taken = await second.bench.take(await first.bench.give(bytes));
    if (taken !== bytes) throw new Error(`${taken} of ${bytes} bytes arrived`);
  },

  /** The plugin's end is not waited for: the time is that to the first answer. */
  async firstCall() {
    const begin = performance.now();
    const { plugin, bench } = await ready();
    await bench.echo(SMALL);
    const took = performance.now() - begin;
    await plugin.close();
    return took;
  },
  hello,

  launches: (count) =>
    twoAtATime(count, async () => {
      await using _plugin = await launch(argv);
    }),
  hellos: (count) => twoAtATime(count, hello),

  /** Sets the number of plugins, in addition to the two that stream. */
  async plugins(count) {
    await Promise.all(many.map(({ plugin }) => plugin.close()));
    many = [];
    const begin = performance.now();
    const made = await Promise.all(Array.from({ length: count }, ready));
    const took = performance.now() - begin;
    many = made;
    return took;
  },
  async callsToAll(count) {
    let next = 0;
    await thousandUnderWay(
      () => many[next++ % many.length]!.bench.echo(SMALL),
      count,
    );
  },

  echoBytes: async (size) => {
    await first.bench.echo(new Uint8Array(size));
  },
  echoText: async (size) => {
    await first.bench.echo("x".repeat(size));
  },
});
for (const { plugin } of [first, second, ...many]) await plugin.close();
