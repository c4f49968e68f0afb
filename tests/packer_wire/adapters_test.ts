// Every interface over Packer's wire, TypeScript on both sides, and the traps
// that real peers have.

import { UNKNOWN_KEY } from "../../plugin/contract/config_error.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { Artifact } from "../../plugin/contract/artifact.ts";
import type { BuildContext } from "../../plugin/contract/build_context.ts";
import type { Builder } from "../../plugin/contract/builder.ts";
import type { Communicator } from "../../plugin/contract/communicator.ts";
import { ConfigError } from "../../plugin/contract/config_error.ts";
import {
  HOOK_CLEANUP_PROVISION,
  HOOK_PROVISION,
  type HookOptions,
} from "../../plugin/contract/hook.ts";
import type { PostProcessor } from "../../plugin/contract/post_processor.ts";
import type { Provisioner } from "../../plugin/contract/provisioner.ts";
import type { Progress, Ui } from "../../plugin/contract/ui.ts";
import {
  RemoteArtifact,
  serveArtifact,
} from "../../plugin/packer_wire/artifact.ts";
import {
  RemoteBuilder,
  serveBuilder,
} from "../../plugin/packer_wire/builder.ts";
import {
  remoteCommunicator,
  serveCommunicator,
} from "../../plugin/packer_wire/communicator.ts";
import {
  decodeConfigs,
  encodeConfigs,
} from "../../plugin/packer_wire/configs.ts";
import { COMPONENT_ID } from "../../plugin/packer_wire/connection.ts";
import { encodeCommandFinished } from "../../plugin/packer_wire/gob.ts";
import { serveHook } from "../../plugin/packer_wire/hook.ts";
import { Float64, MsgpackDecoder } from "../../plugin/packer_wire/msgpack.ts";
import { encodeMsgpack } from "../../plugin/packer_wire/msgpack_writer.ts";
import type {
  RpcClient,
  RpcMethods,
} from "../../plugin/packer_wire/net_rpc.ts";
import {
  RemotePostProcessor,
  servePostProcessor,
} from "../../plugin/packer_wire/post_processor.ts";
import { configErrorOf } from "../../plugin/packer_wire/prepare.ts";
import {
  RemoteProvisioner,
  serveProvisioner,
} from "../../plugin/packer_wire/provisioner.ts";
import { RemoteUi, serveUi } from "../../plugin/packer_wire/ui.ts";
import { hex, Pair, pattern, sha256 } from "./support.ts";

const BUILD: BuildContext = {
  name: "one",
  type: "machine",
  templatePath: "/t.json",
  workingDirectory: Deno.cwd(),
  userVariables: { a: "b" },
  sensitiveVariables: ["b"],
  debug: true,
  force: false,
  onError: "cleanup",
  coreVersion: "1",
  packerVersion: "1.9.4",
  generatedData: ["Color"],
  startedAt: new Date(),
};

/** A ui that notes what it is told. */
class NotedUi implements Ui {
  readonly lines: string[] = [];
  readonly progressed: Progress[] = [];
  constructor(readonly answer: () => string | Promise<string> = () => "yes") {}
  say(line: string) {
    this.lines.push(`say ${line}`);
  }
  message(line: string) {
    this.lines.push(`message ${line}`);
  }
  error(line: string) {
    this.lines.push(`error ${line}`);
  }
  machine(category: string, ...data: string[]) {
    this.lines.push(`machine ${category} ${data}`);
  }
  ask(query: string) {
    this.lines.push(`ask ${query}`);
    return this.answer();
  }
  progress(progress: Progress) {
    this.progressed.push(progress);
  }
}

const ARTIFACT: Artifact = {
  builderId: "b",
  id: "i",
  files: ["f"],
  destroy() {},
  toString: () => "the artifact",
};

async function offered(
  { host, plugin }: Pair,
  methods: RpcMethods,
): Promise<RpcClient> {
  return await plugin.dial(host.offer(methods).id);
}

const methodsOf = (fill: (methods: RpcMethods) => void): RpcMethods => {
  const methods: RpcMethods = new Map();
  fill(methods);
  return methods;
};

/** What a host has of a component that the plugin serves. */
async function component(pair: Pair, fill: (methods: RpcMethods) => void) {
  pair.plugin.serve(COMPONENT_ID, methodsOf(fill));
  return await pair.host.dial(COMPONENT_ID);
}

const once = <T>(made: T) => ({
  create: () => Promise.resolve(made),
  specEncoding: "gob" as const,
});

Deno.test("a ui: each method, and lines that nobody waits for stay in order", async () => {
  await using pair = await Pair.open();
  const ui = new NotedUi();
  // The host answers in another order than it was asked.
  let last = 10;
  const slow: Ui = Object.assign(Object.create(ui), {
    async say(line: string) {
      await new Promise((resolve) =>
        setTimeout(resolve, last-- > 0 ? last : 0)
      );
      ui.say(line);
    },
  });
  const remote = new RemoteUi(
    await offered(pair, methodsOf((methods) => serveUi(slow, methods))),
  );
  for (let line = 0; line < 300; line++) remote.say(`${line}`);
  remote.message("m");
  remote.error("e");
  remote.machine("c", "1", "2,3");
  assertEquals(await remote.ask("who?"), "yes");
  await remote.flush();
  assertEquals(ui.lines, [
    ...Array.from({ length: 300 }, (_, line) => `say ${line}`),
    "message m",
    "error e",
    "machine c 1,2,3",
    "ask who?",
  ]);
});

Deno.test("a question that nobody can answer is an error", async () => {
  await using pair = await Pair.open();
  const ui = new NotedUi(() => Promise.reject(new Error("no available tty")));
  const remote = new RemoteUi(
    await offered(pair, methodsOf((methods) => serveUi(ui, methods))),
  );
  await assertRejects(() => remote.ask("who?"), Error, "no available tty");
  await remote.say("on it goes");
  assertEquals(ui.lines.at(-1), "say on it goes");
});

Deno.test("progress: one bar for a label, differences, and its end", async () => {
  await using pair = await Pair.open();
  const ui = new NotedUi();
  const methods = methodsOf((methods) => serveUi(ui, methods));
  const before = methods.size;
  const remote = new RemoteUi(await offered(pair, methods));
  for (let current = 0; current <= 100; current++) {
    remote.progress({ label: "a.img", current, total: 100 });
  }
  remote.progress({ label: "steps", current: 1, total: 3, unit: "steps" });
  await remote.progress({
    label: "a.img",
    current: 100,
    total: 100,
    done: true,
  });
  assertEquals(ui.progressed.at(-1), {
    label: "a.img",
    current: 100,
    total: 100,
    done: true,
  });
  assert(ui.progressed.length < 5, "many reports in one turn are one call");
  assert(ui.progressed.every(({ label }) => label === "a.img"));
  // One that is left open is ended with the call.
  remote.progress({ label: "b.img", current: 0 });
  remote.progress({ label: "b.img", current: 7 });
  await remote.flush();
  assertEquals(ui.progressed.at(-1), {
    label: "b.img",
    current: 7,
    done: true,
  });
  assertEquals(methods.size, before, "methods of bars that are gone");
});

Deno.test("progress of a Go peer is throttled, and not more than so many bars are kept", async () => {
  await using pair = await Pair.open();
  const ui = new NotedUi();
  const methods = methodsOf((methods) => serveUi(ui, methods));
  const client = await offered(pair, methods);
  const start = () =>
    client.call("Ui.NewTrackProgress", {
      Src: "x.json",
      TotalSize: 2n ** 62n,
      CurrentSize: 0,
    });
  const id = await start();
  for (let count = 0; count < 500; count++) {
    await client.call(`Ui${id}.Add`, 32768);
  }
  assert(ui.progressed.length < 100, `${ui.progressed.length} reports`);
  await client.call(`Ui${id}.Close`);
  assertEquals(ui.progressed.at(-1)!.current, 500 * 32768);
  for (let count = 0; count < 3000; count++) await start();
  assert(methods.size < 2100, `${methods.size} methods`);
});

Deno.test("an artifact, with its state, its end and its error", async () => {
  await using pair = await Pair.open();
  let destroyed = 0;
  const state = { list: [1, "x"], bytes: new Uint8Array([1]) };
  const remote = await RemoteArtifact.read(
    await offered(
      pair,
      serveArtifact({
        ...ARTIFACT,
        state: (name) => name === "s" ? state : undefined,
        destroy() {
          if (++destroyed > 1) throw new Error("gone already");
        },
        toString: ARTIFACT.toString,
      }, { ID: "7" }),
    ),
  );
  assertEquals([remote.builderId, remote.id, remote.files, `${remote}`], [
    "b",
    "i",
    ["f"],
    "the artifact",
  ]);
  assertEquals(await remote.state("s"), state);
  assertEquals(await remote.state("other"), undefined);
  assertEquals(await remote.state("generated_data"), { ID: "7" });
  await remote.destroy();
  await assertRejects(() => remote.destroy(), Error, "gone already");
});

Deno.test("an artifact of Go: no files, and a destroy that answers with its error", async () => {
  await using pair = await Pair.open();
  const remote = await RemoteArtifact.read(
    await offered(
      pair,
      new Map<string, () => unknown>([
        ["Artifact.BuilderId", () => ""],
        ["Artifact.Id", () => null],
        ["Artifact.Files", () => null],
        ["Artifact.String", () => "x"],
        ["Artifact.Destroy", () => ({ Message: "in use" })],
      ]),
    ),
  );
  assertEquals([remote.id, remote.files], ["", []]);
  await assertRejects(() => remote.destroy(), Error, "in use");
});

/** Hooks, with what their Go names are on the wire. */
for (
  const [name, onWire] of [
    [HOOK_PROVISION, "packer_provision"],
    [HOOK_CLEANUP_PROVISION, "packer_cleanup_provision"],
    ["another", "another"],
  ] as const
) {
  Deno.test(`the hook "${name}" is "${onWire}" for Packer, and comes back as itself`, async () => {
    await using pair = await Pair.open();
    const seen: HookOptions[] = [];
    const methods = methodsOf((methods) =>
      serveHook(
        { run: (options) => void seen.push(options) },
        pair.host,
        methods,
      )
    );
    const asked: unknown[] = [];
    const run = methods.get("Hook.Run")!;
    methods.set(
      "Hook.Run",
      (argument) => (asked.push(argument), run(argument)),
    );
    const { RemoteHook } = await import("../../plugin/packer_wire/hook.ts");
    const hook = new RemoteHook(await offered(pair, methods), pair.plugin);
    const ui = new NotedUi();
    await hook.run({ name, ui, data: { ID: "1" } });
    assertEquals((asked[0] as { Name: string }).Name, onWire);
    assertEquals([seen[0]!.name, seen[0]!.data!.ID], [name, "1"]);
    // Packer's ansible dies where one of these is no string.
    for (const key of ["ConnType", "Host", "User", "Password"]) {
      assertEquals(seen[0]!.data![key], "");
    }
    assertEquals(hook.data, { ID: "1" });
  });
}

Deno.test("without a communicator nothing of it is served, so that a call is an error", async () => {
  await using pair = await Pair.open();
  const hook = {
    async run({ communicator }: HookOptions) {
      await communicator!.start({ command: "true" });
    },
  };
  const client = await offered(
    pair,
    methodsOf((methods) => serveHook(hook, pair.host, methods)),
  );
  const { RemoteHook } = await import("../../plugin/packer_wire/hook.ts");
  await assertRejects(
    () =>
      new RemoteHook(client, pair.plugin).run({
        name: HOOK_PROVISION,
        ui: new NotedUi(),
      }),
    Error,
    "can't find method Communicator.Start",
  );
});

/** Commands of a machine that echoes, in memory. */
function echoing(over: Partial<Communicator> = {}): Communicator {
  return {
    async start({ command, stdin, stdout, stderr }) {
      await Promise.resolve();
      const work = (async () => {
        const out = stdout?.getWriter();
        await stderr?.getWriter().close();
        if (stdin) { for await (const chunk of stdin) await out?.write(chunk); }
        await out?.write(new TextEncoder().encode(command));
        await out?.close();
        return command.length;
      })();
      return { wait: () => work };
    },
    upload() {},
    download() {},
    uploadDir() {},
    downloadDir() {},
    ...over,
  };
}

async function remoteOf(
  pair: Pair,
  communicator: Communicator,
): Promise<Communicator> {
  const client = await offered(
    pair,
    methodsOf((methods) => serveCommunicator(communicator, pair.host, methods)),
  );
  return remoteCommunicator(client, pair.plugin);
}

function collector() {
  const chunks: Uint8Array[] = [];
  return {
    stream: new WritableStream<Uint8Array>({
      write: (chunk) => void chunks.push(chunk),
    }),
    text: () =>
      new TextDecoder().decode(
        new Uint8Array(chunks.flatMap((chunk) => [...chunk])),
      ),
  };
}

Deno.test("a command: what it reads and writes, its status, and no stream is left", async () => {
  await using pair = await Pair.open();
  const remote = await remoteOf(pair, echoing());
  const before = pair.plugin.broker.session.streamCount;
  const out = collector();
  const running = await remote.start({
    command: "abc",
    stdin: new Blob(["fed "]).stream(),
    stdout: out.stream,
    stderr: collector().stream,
  });
  assertEquals(await running.wait(), 3);
  assertEquals(out.text(), "fed abc");
  const silent = await remote.start({ command: "" });
  assertEquals(await silent.wait(), 0);
  await pair.plugin.broker.session.ping();
  await pair.host.broker.session.ping();
  assertEquals(pair.plugin.broker.session.streamCount, before);
  assertEquals(pair.host.broker.session.streamCount, before);
});

Deno.test("a command that cannot be started, and a machine that is lost", async () => {
  await using pair = await Pair.open();
  const remote = await remoteOf(
    pair,
    echoing({
      start({ command }) {
        if (command === "no") throw new Error("not found");
        return { wait: () => Promise.reject(new Error("the line is cut")) };
      },
    }),
  );
  await assertRejects(
    async () => void await remote.start({ command: "no" }),
    Error,
    "not found",
  );
  const running = await remote.start({ command: "lost" });
  await assertRejects(
    async () => void await running.wait(),
    Error,
    "connection to the machine was lost",
  );
});

Deno.test("a Go peer's status 2300218 is a lost machine, and none at all is 123", async () => {
  await using pair = await Pair.open();
  let status: number | undefined;
  const methods: RpcMethods = new Map([[
    "Communicator.Start",
    async (argument: unknown) => {
      const { ResponseStreamId } = argument as { ResponseStreamId: number };
      const stream = await pair.host.dialStream(ResponseStreamId);
      if (status !== undefined) {
        await stream.write(encodeCommandFinished(status));
      }
      stream.end();
    },
  ]]);
  const remote = remoteCommunicator(await offered(pair, methods), pair.plugin);
  const wait = async () => await (await remote.start({ command: "x" })).wait();
  assertEquals(await wait(), 123);
  status = -1;
  assertEquals(await wait(), -1);
  status = 2300218;
  await assertRejects(wait, Error, "lost");
});

Deno.test("an abort ends the wait for a command here, since nothing can be told there", async () => {
  await using pair = await Pair.open();
  const seen: unknown[] = [];
  const remote = await remoteOf(
    pair,
    echoing({
      start({ stdout }) {
        const writer = stdout!.getWriter();
        const work = (async () => {
          for (;;) await writer.write(new Uint8Array(100_000));
        })();
        work.catch((error) => seen.push(error));
        return { wait: () => work };
      },
    }),
  );
  const controller = new AbortController();
  const running = await remote.start({
    command: "yes",
    stdout: new WritableStream(),
    signal: controller.signal,
  });
  const waiting = running.wait();
  controller.abort(new Error("enough"));
  await assertRejects(async () => void await waiting, Error, "enough");
  while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve));
  assertMatch(String(seen[0]), /reset/);
});

Deno.test("uploads and downloads of 20 MB are the same bytes, with mode and size where they can be told", async () => {
  await using pair = await Pair.open();
  const content = pattern(20_000_000);
  const uploads: {
    path: string;
    mode?: number;
    size?: number;
    hash: string;
  }[] = [];
  const remote = await remoteOf(
    pair,
    echoing({
      async upload({ path, mode, size, source }) {
        const hash = await sha256(
          new Uint8Array(await new Response(source as BodyInit).arrayBuffer()),
        );
        uploads.push({ path, mode, size, hash });
      },
      async download({ destination }) {
        await new Blob([content]).stream().pipeTo(destination);
      },
    }),
  );
  const source = (bytes: Uint8Array<ArrayBuffer> = content) =>
    new Blob([bytes]).stream();
  const hash = await sha256(content);
  await remote.upload({
    path: "/a/b",
    source: source(),
    mode: 0o4755,
    size: content.length,
  });
  await remote.upload({ path: "/c", source: source() });
  // Too long to be measured: the mode cannot cross.
  await remote.upload({ path: "/d", source: source(), mode: 0o700 });
  const small = content.slice(0, 1000);
  await remote.upload({ path: "/e", source: source(small), mode: 0o700 });
  assertEquals(uploads, [
    { path: "/a/b", mode: 0o4755, size: content.length, hash },
    { path: "/c", mode: undefined, size: undefined, hash },
    { path: "/d", mode: undefined, size: undefined, hash },
    { path: "/e", mode: 0o700, size: 1000, hash: await sha256(small) },
  ]);
  const chunks: Uint8Array[] = [];
  await remote.download({
    path: "/x",
    destination: new WritableStream({
      write: (chunk) => void chunks.push(chunk),
    }),
  });
  assertEquals(
    await sha256(
      new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()),
    ),
    hash,
  );
});

Deno.test("an upload fails with the source's own error, or with the machine's", async () => {
  await using pair = await Pair.open();
  const remote = await remoteOf(
    pair,
    echoing({
      async upload({ path, source }) {
        if (path === "/full") throw new Error("the disk is full");
        for await (const _ of source);
      },
      download() {
        throw new Error("no such file");
      },
    }),
  );
  const broken = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new Uint8Array(1000));
      controller.error(new Error("the tape is torn"));
    },
  });
  await assertRejects(
    async () => void await remote.upload({ path: "/a", source: broken }),
    Error,
    "the tape is torn",
  );
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
    cancel: () => void (cancelled = true),
  });
  await assertRejects(
    async () => void await remote.upload({ path: "/full", source: endless }),
    Error,
    "the disk is full",
  );
  while (!cancelled) await new Promise((resolve) => setTimeout(resolve));
  await assertRejects(
    async () =>
      void await remote.download({
        path: "/a",
        destination: new WritableStream(),
      }),
    Error,
    "no such file",
  );
});

Deno.test("directories cross as paths, with what to leave out", async () => {
  await using pair = await Pair.open();
  const seen: unknown[] = [];
  const note =
    (name: string) =>
    ({ source, destination, exclude }: object & Record<string, unknown>) =>
      void seen.push([name, source, destination, exclude]);
  const remote = await remoteOf(
    pair,
    echoing({
      uploadDir: note("up") as never,
      downloadDir: note("down") as never,
    }),
  );
  await remote.uploadDir({ source: "/a/", destination: "/b", exclude: ["x"] });
  await remote.downloadDir({ source: "/c", destination: "/d" });
  assertEquals(seen, [["up", "/a/", "/b", ["x"]], ["down", "/c", "/d", []]]);
});

/** A builder that does as it is told. */
function builderOf(over: Partial<Builder>): Builder {
  return { prepare() {}, run: () => ARTIFACT, ...over };
}

Deno.test("a builder: prepare, run with ui and hook, and its artifact", async () => {
  await using pair = await Pair.open();
  const prepared: unknown[] = [];
  const client = await component(
    pair,
    (methods) =>
      serveBuilder(
        once(builderOf({
          prepare(options) {
            prepared.push(options);
            return { warnings: ["w"], generatedData: ["Color"] };
          },
          async run({ ui, hook }) {
            ui.say("before");
            await hook.run({
              name: HOOK_PROVISION,
              ui,
              data: { ID: "9" },
              communicator: echoing(),
            });
            ui.say("after");
            return ARTIFACT;
          },
        })),
        pair.plugin,
        methods,
      ),
  );
  const builder = new RemoteBuilder(client, pair.host);
  const config = { n: 13, deep: [{ x: null }], text: "{{user `a`}}" };
  assertEquals(await builder.prepare({ config, build: BUILD }), {
    warnings: ["w"],
    generatedData: ["Color"],
  });
  const { startedAt: _, coreVersion: __, ...build } = BUILD;
  const [seen] = prepared as { config: unknown; build: BuildContext }[];
  assertEquals(seen!.config, config);
  const { startedAt: ___, coreVersion: ____, ...seenBuild } = seen!.build;
  const { generatedData: _____, ...ofBuilder } = build;
  assertEquals(seenBuild, ofBuilder);
  const ui = new NotedUi();
  let status: number | undefined;
  const artifact = await builder.run({
    ui,
    hook: {
      async run({ ui, communicator, data }) {
        await ui.say(`provisioning ${data!.ID}`);
        status = await (await communicator!.start({ command: "1234" })).wait();
      },
    },
    signal: new AbortController().signal,
  });
  assertEquals(status, 4);
  assertEquals(ui.lines, ["say before", "say provisioning 9", "say after"]);
  assertEquals(`${artifact}`, "the artifact");
  assertEquals(await artifact!.state!("generated_data"), { ID: "9" });
});

Deno.test("a builder without an artifact, and with an error", async () => {
  await using pair = await Pair.open();
  let fails = false;
  const client = await component(
    pair,
    (methods) =>
      serveBuilder(
        once(builderOf({
          run() {
            if (fails) throw new Error("no luck");
          },
        })),
        pair.plugin,
        methods,
      ),
  );
  const builder = new RemoteBuilder(client, pair.host);
  const run = () =>
    builder.run({
      ui: new NotedUi(),
      hook: { run() {} },
      signal: new AbortController().signal,
    });
  await assertRejects(run, Error, "Run comes after Prepare");
  await builder.prepare({ config: {}, build: BUILD });
  assertEquals(await run(), undefined);
  fails = true;
  await assertRejects(run, Error, "no luck");
});

Deno.test("a cancel is called once the plugin has dialled what Run offers, and not before", async () => {
  await using pair = await Pair.open();
  // A plugin written in Go dies of a Cancel that comes too early.
  const events: string[] = [];
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  const client = await component(pair, (methods) => {
    methods.set("Builder.Run", async (id) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      events.push("dial");
      const ui = await pair.plugin.dial(id as number);
      await cancelled;
      ui.close();
      throw new Error("context canceled");
    });
    methods.set("Builder.Cancel", () => {
      events.push("cancel");
      resolve();
    });
  });
  const builder = new RemoteBuilder(client, pair.host);
  const controller = new AbortController();
  const running = builder.run({
    ui: new NotedUi(),
    hook: { run() {} },
    signal: controller.signal,
  });
  controller.abort();
  await assertRejects(() => running, Error, "context canceled");
  assertEquals(events, ["dial", "cancel"]);
});

Deno.test("a signal that is aborted already does not start the run", async () => {
  await using pair = await Pair.open();
  const client = await component(pair, (methods) => {
    methods.set("Builder.Run", () => {
      throw new Error("was run");
    });
  });
  const builder = new RemoteBuilder(client, pair.host);
  await assertRejects(
    () =>
      builder.run({
        ui: new NotedUi(),
        hook: { run() {} },
        signal: AbortSignal.abort(new Error("over")),
      }),
    Error,
    "over",
  );
});

Deno.test("a cancel aborts the builder's signal and the hook's", async () => {
  await using pair = await Pair.open();
  const client = await component(
    pair,
    (methods) =>
      serveBuilder(
        once(builderOf({
          async run({ ui, hook, signal }) {
            await hook.run({ name: HOOK_PROVISION, ui, signal });
            return undefined;
          },
        })),
        pair.plugin,
        methods,
      ),
  );
  const builder = new RemoteBuilder(client, pair.host);
  await builder.prepare({ config: {}, build: BUILD });
  const controller = new AbortController();
  const reasons: string[] = [];
  await assertRejects(
    () =>
      builder.run({
        ui: new NotedUi(),
        hook: {
          async run({ signal }) {
            controller.abort();
            await new Promise<void>((resolve) =>
              signal!.addEventListener("abort", () => resolve())
            );
            reasons.push(signal!.reason.name);
            throw signal!.reason;
          },
        },
        signal: controller.signal,
      }),
    Error,
    "the build was cancelled",
  );
  assertEquals(reasons, ["AbortError"]);
});

Deno.test("the end of the connection aborts what is running", async () => {
  const pair = await Pair.open();
  const { promise: aborted, resolve } = Promise.withResolvers<unknown>();
  const { promise: started, resolve: start } = Promise.withResolvers<void>();
  const client = await component(
    pair,
    (methods) =>
      serveBuilder(
        once(builderOf({
          async run({ signal }) {
            signal.addEventListener("abort", () => resolve(signal.reason));
            start();
            await aborted;
            return undefined;
          },
        })),
        pair.plugin,
        methods,
      ),
  );
  const builder = new RemoteBuilder(client, pair.host);
  await builder.prepare({ config: {}, build: BUILD });
  const running = builder.run({
    ui: new NotedUi(),
    hook: { run() {} },
    signal: new AbortController().signal,
  });
  running.catch(() => {});
  await started;
  void pair.host.close();
  assert(await aborted instanceof Error);
  await assertRejects(() => running, Error, "Builder.Run");
  await pair.plugin.ended;
});

Deno.test("a builder is asked for anew at each Prepare", async () => {
  await using pair = await Pair.open();
  let made = 0;
  const client = await component(pair, (methods) =>
    serveBuilder(
      {
        create: () => {
          made++;
          return Promise.resolve(builderOf({}));
        },
        specEncoding: "gob",
      },
      pair.plugin,
      methods,
    ));
  const builder = new RemoteBuilder(client, pair.host);
  for (let count = 0; count < 2; count++) {
    await builder.prepare({ config: {}, build: BUILD });
  }
  assertEquals(made, 2);
});

Deno.test("a provisioner: its data, its communicator, its warnings and its error", async () => {
  await using pair = await Pair.open();
  const seen: unknown[] = [];
  let fails = false;
  const provisioner: Provisioner = {
    prepare: ({ config, build }) => {
      seen.push(config, build.generatedData!.includes("Color"));
      if (config.bad) {
        throw new ConfigError([{ path: ["bad"], message: "it is bad" }]);
      }
    },
    async provision({ ui, communicator, data }) {
      ui.say("unawaited");
      seen.push(
        data,
        await (await communicator!.start({ command: "12" })).wait(),
      );
      if (fails) throw new Error("no manners");
    },
  };
  const client = await component(
    pair,
    (methods) => serveProvisioner(once(provisioner), pair.plugin, methods),
  );
  const remote = new RemoteProvisioner(client, pair.host);
  await remote.prepare({ config: { a: 1 }, build: BUILD });
  const ui = new NotedUi();
  const provision = () =>
    remote.provision({
      ui,
      communicator: echoing(),
      data: { ID: "1" },
      signal: new AbortController().signal,
    });
  await provision();
  assertEquals(seen, [{ a: 1 }, true, { ID: "1" }, 2]);
  assertEquals(ui.lines, ["say unawaited"]);
  fails = true;
  await assertRejects(provision, Error, "no manners");
  const error = await assertRejects(
    () => remote.prepare({ config: { bad: true }, build: BUILD }),
    ConfigError,
    "it is bad",
  );
  assertEquals(error.problems.length, 1);
});

/** A post-processor that does as it is told. */
function postProcessorOf(work: PostProcessor["postProcess"]): PostProcessor {
  return { configure() {}, postProcess: work };
}

async function processed(pair: Pair, work: PostProcessor["postProcess"]) {
  const client = await component(
    pair,
    (methods) =>
      servePostProcessor(once(postProcessorOf(work)), pair.plugin, methods),
  );
  const remote = new RemotePostProcessor(client, pair.host);
  await remote.configure({ config: {}, build: BUILD });
  return await remote.postProcess({
    ui: new NotedUi(),
    artifact: {
      ...ARTIFACT,
      state: (name) => name === "x" ? 7 : undefined,
      toString: ARTIFACT.toString,
    },
    data: { ID: "3" },
    signal: new AbortController().signal,
  });
}

Deno.test("a post-processor gets the build's data, and its artifact has them, too", async () => {
  await using pair = await Pair.open();
  const { artifact, keep, mustKeep } = await processed(
    pair,
    ({ data, artifact }) => ({
      artifact: {
        ...ARTIFACT,
        id: `${artifact.id}-${data.ID}`,
        toString: () => "new",
      },
      keep: true,
    }),
  );
  assertEquals([artifact!.id, `${artifact}`, keep, mustKeep], [
    "i-3",
    "new",
    true,
    false,
  ]);
  assertEquals(await artifact!.state!("generated_data"), { ID: "3" });
});

Deno.test("the artifact that came in stays usable when it is given back", async () => {
  await using pair = await Pair.open();
  const { artifact } = await processed(
    pair,
    ({ artifact }) => ({ artifact, keep: true, mustKeep: true }),
  );
  assertEquals(`${artifact}`, "the artifact");
  assertEquals(await artifact!.state!("x"), 7);
});

Deno.test("so does one that stands on it", async () => {
  await using pair = await Pair.open();
  const { artifact } = await processed(pair, ({ artifact }) => ({
    artifact: {
      ...ARTIFACT,
      state: (name) => artifact.state!(name),
      toString: () => "on it",
    },
  }));
  assertEquals(await artifact!.state!("x"), 7);
});

Deno.test("no artifact ends the sequence, and an error fails it", async () => {
  await using pair = await Pair.open();
  assertEquals(await processed(pair, () => ({ artifact: undefined })), {
    artifact: undefined,
    keep: false,
    mustKeep: false,
  });
  await using other = await Pair.open();
  await assertRejects(
    () =>
      processed(other, () => {
        throw new Error("the glue is dry");
      }),
    Error,
    "the glue is dry",
  );
});

Deno.test("configurations are read by what they are, in any order", () => {
  const placeholders =
    encodeConfigs("provisioner", { config: {}, build: BUILD })[2];
  const packer = {
    packer_build_name: "n",
    packer_builder_type: "t",
    packer_debug: "true",
    packer_force: true,
    packer_on_error: "",
    packer_user_variables: { "": "x", a: 1 },
    packer_sensitive_variables: ["s", ""],
  };
  const { config, build } = decodeConfigs([
    packer,
    { a: 1, b: 1 },
    null,
    placeholders,
    { b: 2 },
  ]);
  assertEquals(config, { a: 1, b: 2 });
  assertEquals([
    build.name,
    build.type,
    build.debug,
    build.force,
    build.onError,
  ], ["n", "t", true, true, "cleanup"]);
  assertEquals([build.userVariables, build.sensitiveVariables], [{ a: "1" }, [
    "s",
  ]]);
  assert(
    build.generatedData!.includes("Color") &&
      build.generatedData!.includes("ID"),
  );
  assertEquals(build.templatePath, undefined);
});

Deno.test("the sentence of a placeholder is Packer's to the letter", () => {
  const [, , placeholders] = encodeConfigs("provisioner", {
    config: {},
    build: BUILD,
  });
  const { ID, Color, WinRMPassword } = placeholders as Record<string, string>;
  const sentence =
    " To set this dynamically in the Packer template, you must use the `build` function";
  assertEquals([ID, Color, WinRMPassword], [
    `Build_ID.${sentence}`,
    `Build_Colour.${sentence}`,
    "{{.WinRMPassword}}",
  ]);
  assertEquals(
    encodeConfigs("builder", { config: {}, build: BUILD }).length,
    2,
  );
});

Deno.test("numbers of a configuration are floats for Go, as JSON's are", () => {
  const [config] = encodeConfigs("builder", {
    config: { n: 13, l: [1] },
    build: BUILD,
  });
  assertEquals((config as Map<string, unknown>).get("n"), new Float64(13));
  const decoder = new MsgpackDecoder();
  decoder.push(encodeMsgpack(config));
  assertEquals(
    encodeMsgpack({ n: new Float64(13) }),
    hex("81a16ecb402a000000000000"),
  );
  assertEquals(decoder.next()!.value, { n: 13, l: [1] });
});

const cty = (value: unknown) =>
  new TextEncoder().encode(JSON.stringify({ value, type: "dynamic" }));

Deno.test("HCL2: nulls are dropped at every depth, and JSON is read where any value may stand", () => {
  const { config } = decodeConfigs(
    [
      { packer_build_name: "x" },
      cty({
        a: null,
        b: { c: null, d: 1 },
        l: ["x"],
        any: '{"x": [1]}',
        other: "{",
      }),
    ],
    {
      any: { type: "any", description: "" },
      other: { type: "any", description: "" },
    },
  );
  assertEquals(config, { b: { d: 1 }, l: ["x"], any: { x: [1] }, other: "{" });
});

Deno.test("HCL2: what is not known yet is no error, all else is", async () => {
  await using pair = await Pair.open();
  const problem = (key: string) => ({
    path: [key],
    message: `${key} is wrong`,
  });
  const provisioner: Provisioner = {
    prepare({ config }) {
      if (config.throws) throw new Error(`no ${config.throws}`);
      throw new ConfigError(Object.keys(config).map(problem));
    },
    provision() {},
  };
  const client = await component(
    pair,
    (methods) => serveProvisioner(once(provisioner), pair.plugin, methods),
  );
  const prepare = (value: unknown) =>
    client.call("Provisioner.Prepare", {
      Configs: [{ packer_build_name: "x" }, cty(value)],
    });
  await prepare({ a: "x-<unknown>" });
  await prepare({ throws: "<unknown>" });
  await assertRejects(
    () => prepare({ a: "<unknown>", b: "known" }),
    Error,
    "b is wrong",
  );
  await assertRejects(() => prepare({ throws: "known" }), Error, "no known");
});

Deno.test("what is no configuration is an error of the call, and nothing else", async () => {
  await using pair = await Pair.open();
  const client = await component(
    pair,
    (methods) => serveBuilder(once(builderOf({})), pair.plugin, methods),
  );
  for (
    const [Configs, message] of [
      [[7], "no object"],
      [[new TextEncoder().encode("{")], "no JSON"],
      [[new TextEncoder().encode('{"value": 1}')], "no object"],
    ] as const
  ) {
    const { Error: error } = await client.call("Builder.Prepare", {
      Configs,
    }) as { Error: { Message: string } };
    assertStringIncludes(error.Message, message);
  }
  for (const argument of [null, 1, "x", [], {}]) {
    assertEquals(
      (await client.call("Builder.Prepare", argument) as { Error: unknown })
        .Error,
      null,
    );
  }
});

Deno.test("a ConfigSpec is answered even by a component that cannot be made", async () => {
  await using pair = await Pair.open();
  const client = await component(
    pair,
    (methods) =>
      serveBuilder(
        {
          create: () => Promise.reject(new Error("no class")),
          specEncoding: "gob",
        },
        pair.plugin,
        methods,
      ),
  );
  const { ConfigSpec } = await client.call("Builder.ConfigSpec") as {
    ConfigSpec: Uint8Array;
  };
  assert(ConfigSpec.length > 0);
});

Deno.test("the keys that a Go plugin does not know get their places", () => {
  const error = configErrorOf(
    "1 error occurred:\n\t* unknown configuration key: '\"nonsense\"'\n\n",
  );
  assertEquals(error.problems, [{
    path: ["nonsense"],
    message: 'unknown key "nonsense"',
    code: UNKNOWN_KEY,
  }]);
  const two = configErrorOf(
    "2 errors occurred:\n\t* unknown configuration key: '\"a\"'\n\t* b must be set\n\n",
  );
  assertEquals(two.problems, [{
    path: ["a"],
    message: 'unknown key "a"',
    code: UNKNOWN_KEY,
  }, {
    path: [],
    message: "b must be set",
  }]);
  assertEquals(configErrorOf("plain").problems, [{
    path: [],
    message: "plain",
  }]);
});

Deno.test("arguments of every wrong shape harm nobody", async () => {
  await using pair = await Pair.open();
  const client = await component(pair, (methods) => {
    serveBuilder(once(builderOf({})), pair.plugin, methods);
    serveProvisioner(
      once({ prepare() {}, provision() {} }),
      pair.plugin,
      methods,
    );
    servePostProcessor(
      once(postProcessorOf(({ artifact }) => ({ artifact }))),
      pair.plugin,
      methods,
    );
    serveUi(new NotedUi(), methods);
    serveCommunicator(echoing(), pair.plugin, methods);
    for (const [name, method] of serveArtifact(ARTIFACT)) {
      methods.set(name, method);
    }
  });
  const methods = methodsOf((methods) => {
    serveBuilder(once(builderOf({})), pair.plugin, methods);
    serveUi(new NotedUi(), methods);
    serveCommunicator(echoing(), pair.plugin, methods);
  });
  // A dial of a number that is not offered waits for 5 s: those come in one go.
  const calls = [...methods.keys()].flatMap((name) =>
    [null, -1, 1e300, "x", [], [[]], {}, new Uint8Array(3), true].map((
      argument,
    ) => client.call(name, argument))
  );
  await Promise.allSettled(calls);
  assertEquals(await client.call("Artifact.Id"), "i");
});
