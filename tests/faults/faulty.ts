// A plugin that fails as its arguments say: a moment and a fault, or a pause and a
// pipe that it holds open. Without them it is the plugin that all others in a build are, which does
// what it should and cleans up.

import {
  type Artifact,
  type Builder,
  type BuilderRunOptions,
  type Communicator,
  type Download,
  type PostProcessOptions,
  type PostProcessor,
  type PrepareOptions,
  type Provisioner,
  type ProvisionOptions,
  serve,
  type Upload,
} from "@baler/baler";
import { goWrong, pause, writeWire } from "./faults.ts";
import type { FaultName, MomentName, PauseName } from "./matrix.ts";

const [moment, what, lifeline] = Deno.args as [
  moment?: MomentName | "never",
  what?: FaultName | PauseName,
  lifeline?: string,
];
if (lifeline !== undefined) await Deno.open(lifeline, { write: true });

/** Goes wrong, or pauses, if this is the moment for it. */
async function at(here: MomentName, signal?: AbortSignal): Promise<void> {
  if (moment !== here) return;
  if (lifeline === undefined) await goWrong(what as FaultName, here);
  else await pause(what as PauseName, here, lifeline, signal);
}

const CHUNK = new Uint8Array(64 * 1024).fill(7);
const CHUNKS = 16;

/** A stream of a megabyte, which may go wrong in its middle. */
function megabyte(
  middle: MomentName,
  signal?: AbortSignal,
): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      if (sent === CHUNKS / 2) await at(middle, signal);
      if (sent++ < CHUNKS) controller.enqueue(CHUNK);
      else controller.close();
    },
  }, { highWaterMark: 0 });
}

/** Builds the file NAME.out, on a machine that is the file NAME.machine while it is there. */
class FaultyBuilder implements Builder {
  #directory = "";
  #name = "";
  #waitsFor: string | undefined;

  async prepare({ build, config }: PrepareOptions) {
    this.#directory = build.workingDirectory;
    this.#name = build.name;
    this.#waitsFor = config.waits_for as string | undefined;
    await at("prepare");
  }

  async run(options: BuilderRunOptions): Promise<Artifact> {
    const { ui, hook, signal } = options;
    const machine = `${this.#directory}/${this.#name}.machine`;
    await Deno.writeTextFile(machine, "up");
    try {
      await ui.say("the machine is up");
      if (moment === "uiCall") {
        const saying = ui.say("this is in flight");
        // On the wire, and perhaps not answered yet.
        await Promise.resolve();
        await Promise.all([saying, at("uiCall", signal)]);
      }
      if (moment === "cleanup") await aborted(signal);
      if (this.#waitsFor !== undefined) {
        await appears(`${this.#directory}/${this.#waitsFor}`, signal);
      }
      await hook.run({
        name: "provision",
        ui,
        communicator: new FaultyCommunicator(),
        signal,
      });
    } finally {
      await at("cleanup");
      await Deno.remove(machine);
      await Deno.writeTextFile(
        `${this.#directory}/${this.#name}.cleaned`,
        String(signal.reason ?? ""),
      );
    }
    return await FileArtifact.make(`${this.#directory}/${this.#name}.out`);
  }
}

class FaultyCommunicator implements Communicator {
  start(): never {
    throw new Error("there is nothing to start here");
  }

  async upload({ source, signal }: Upload) {
    let received = 0;
    for await (const chunk of source) {
      received += chunk.length;
      if (received > CHUNKS * CHUNK.length / 2) await at("streamIn", signal);
    }
  }

  async download({ destination, signal }: Download) {
    await megabyte("streamOut", signal).pipeTo(destination);
  }

  uploadDir() {}

  downloadDir() {}
}

class FileArtifact implements Artifact {
  readonly builderId = "faulty";
  readonly id = "";
  readonly files: string[];

  private constructor(path: string) {
    this.files = [path];
  }

  static async make(path: string): Promise<FileArtifact> {
    await Deno.writeTextFile(path, "made");
    return new FileArtifact(path);
  }

  async destroy() {
    await at("destroy");
    for (const file of this.files) await Deno.remove(file);
  }

  toString() {
    return `the file ${this.files[0]}`;
  }
}

/** Uses the communicator in both directions. */
class FaultyProvisioner implements Provisioner {
  prepare() {}

  async provision({ communicator, signal }: ProvisionOptions) {
    await communicator!.upload({
      path: "there",
      source: megabyte("provision", signal),
      signal,
    });
    let received = 0;
    await communicator!.download({
      path: "there",
      destination: new WritableStream({
        write(chunk) {
          received += chunk.length;
        },
      }),
      signal,
    });
    if (received !== CHUNKS * CHUNK.length) {
      throw new Error(`${received} bytes arrived`);
    }
  }
}

/** Makes the file NAME.post in place of the artifact that it is given. */
class Replacing implements PostProcessor {
  #path = "";

  configure({ build }: PrepareOptions) {
    this.#path = `${build.workingDirectory}/${build.name}.post`;
  }

  async postProcess(_: PostProcessOptions) {
    return { artifact: await FileArtifact.make(this.#path), keep: false };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Waits until a file is there. */
async function appears(path: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  using watcher = Deno.watchFs(path.slice(0, path.lastIndexOf("/")));
  const abort = () => watcher.close();
  signal.addEventListener("abort", abort, { once: true });
  const isThere = () => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  };
  if (!isThere()) {
    for await (const _ of watcher) if (isThere()) break;
  }
  signal.removeEventListener("abort", abort);
  signal.throwIfAborted();
}

await at("beforeHello");
if (moment === "halfHello") {
  writeWire('{"json":{"hello":"baler","proto');
  await at("halfHello");
}
if (moment === "shutdown") {
  // Its last act, whoever calls for it, once the signal has come that its whole
  // group gets before: it could overtake the fault.
  const told = new Promise<void>((resolve) =>
    Deno.addSignalListener("SIGTERM", resolve)
  );
  Object.defineProperty(Deno, "exit", {
    value() {
      // Nothing else keeps it alive any more.
      const alive = setInterval(() => {}, 1_000);
      void told.then(() => at("shutdown")).finally(() => clearInterval(alive));
    },
  });
}
const serving = serve({
  builder: { "": FaultyBuilder },
  provisioner: { "": FaultyProvisioner },
  "post-processor": { "": Replacing },
});
await at("afterHello");
await serving;
