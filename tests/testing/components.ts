// Components that the tests of the testing kit run.

import {
  type Artifact,
  type BuildContext,
  type Builder,
  type BuilderRunOptions,
  type ConfigOf,
  HOOK_PROVISION,
  type Options,
  type PostProcessOptions,
  type PostProcessor,
  type PrepareOptions,
  type Provisioner,
  type ProvisionOptions,
} from "../../mod.ts";
import { MemoryCommunicator } from "../../plugin/testing/mod.ts";

const mirrorOptions = {
  file: { type: "string", description: "The file to write.", required: true },
  size: { type: "number", description: "A size.", default: 5 },
} as const satisfies Options;

type MirrorConfig = ConfigOf<typeof mirrorOptions>;

/** Writes what a provisioner uploads to `/in`. */
export class Mirror implements Builder<MirrorConfig> {
  readonly options = mirrorOptions;
  #config!: MirrorConfig;
  #build!: BuildContext;

  prepare({ config, build }: PrepareOptions<MirrorConfig>) {
    this.#config = config;
    this.#build = build;
    return {
      generatedData: ["ID"],
      warnings: config.size < 4 ? ["size is small"] : [],
    };
  }

  async run({ ui, hook, signal }: BuilderRunOptions): Promise<Artifact> {
    const { file, size } = this.#config;
    await ui.say(`building ${size}`);
    const communicator = new MemoryCommunicator();
    await hook.run({
      name: HOOK_PROVISION,
      ui,
      communicator,
      signal,
      data: { ID: `i-${this.#build.name}` },
    });
    await Deno.writeTextFile(file, communicator.text("/in"));
    return {
      builderId: "test.mirror",
      id: file,
      files: [file],
      destroy: () => Deno.remove(file),
      toString: () => file,
    };
  }
}

/** Asks for a name, writes it to `/etc/motd`, and runs two commands. */
export class Motd implements Provisioner {
  prepare() {}

  async provision({ ui, communicator }: ProvisionOptions) {
    const name = await ui.ask("Who?");
    await communicator!.upload({
      path: "/etc/motd",
      source: new Blob([`Hello ${name}`]).stream(),
      mode: 0o600,
    });
    const { readable, writable } = new TransformStream<
      Uint8Array,
      Uint8Array
    >();
    const shown = new Response(readable as BodyInit).text();
    const reversed = await communicator!.start({
      command: "rev",
      stdin: new Blob(["abc"]).stream(),
      stdout: writable,
    });
    await reversed.wait();
    await ui.message(await shown);
    const rebooted = await communicator!.start({ command: "reboot" });
    await ui.error(`exit code ${await rebooted.wait()}`);
  }
}

const signOptions = {
  key: { type: "string", description: "The key.", required: true },
} as const satisfies Options;

type SignConfig = ConfigOf<typeof signOptions>;

/** Adds the key to an artifact's ID. */
export class Sign implements PostProcessor<SignConfig> {
  readonly options = signOptions;
  #key = "";

  configure({ config }: PrepareOptions<SignConfig>) {
    this.#key = config.key;
  }

  postProcess({ artifact }: PostProcessOptions) {
    const id = `${artifact.id} signed with ${this.#key}`;
    return {
      artifact: {
        builderId: "test.sign",
        id,
        files: [],
        destroy() {},
        toString: () => id,
      },
      keep: true,
    };
  }
}
