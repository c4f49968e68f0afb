// A builder for a cloud of your own. This one keeps its machines and images as
// files in a directory, so that it can be tried anywhere.

import {
  type Artifact,
  type BuildContext,
  type Builder,
  type BuilderRunOptions,
  type ConfigOf,
  type Hook,
  HOOK_CLEANUP_PROVISION,
  HOOK_PROVISION,
  type Options,
  type PrepareOptions,
  serveBuilder,
  type Ui,
} from "@baler/baler";
import { runSteps, type Step } from "@baler/baler/builder";

const options = {
  region: {
    type: "string",
    description: "The region that the machine runs in while it is built.",
    default: "north-1",
  },
  image_folder: {
    type: "string",
    description: "The directory that the image is written to.",
    default: "images",
  },
} as const satisfies Options;

type Config = ConfigOf<typeof options>;

/** What the steps of one build share. */
interface State {
  readonly config: Config;
  readonly hook: Hook;
  /** The image's ID. */
  readonly id: string;
  /** The file that stands for the machine while it runs. */
  readonly machine: string;
  /** The file that stands for the image. */
  readonly image: string;
  /** Whether the provisioners have failed. */
  hasFailed?: boolean;
}

const startMachine: Step<State> = {
  name: "StartMachine",
  async run({ config, machine }, { ui }) {
    await ui.say(`Starting a machine in ${config.region}...`);
    await Deno.mkdir(config.image_folder, { recursive: true });
    await Deno.writeTextFile(machine, "");
  },
  async cleanup({ machine }) {
    await Deno.remove(machine);
  },
};

const provision: Step<State> = {
  name: "Provision",
  async run(state, { ui, signal, build }) {
    const { hook, id } = state;
    try {
      await hook.run({ name: HOOK_PROVISION, ui, signal, data: { ID: id } });
    } catch (error) {
      state.hasFailed = !signal.aborted;
      // Here no step is cleaned up.
      if (build.onError === "run-cleanup-provisioner") {
        await provision.cleanup?.(state, ui);
      }
      throw error;
    }
  },
  /** Runs the template's error-cleanup-provisioner, while the machine is still up. */
  async cleanup({ hook, id, hasFailed }: State, ui: Ui) {
    if (!hasFailed) return;
    await hook.run({ name: HOOK_CLEANUP_PROVISION, ui, data: { ID: id } });
  },
};

const saveImage: Step<State> = {
  name: "SaveImage",
  async run({ config, id, image }, { ui }) {
    await ui.say(`Saving the image as ${image}...`);
    const content = JSON.stringify({ id, region: config.region });
    await Deno.writeTextFile(image, `${content}\n`);
  },
};

class CustomCloud implements Builder<Config> {
  readonly options = options;
  #config!: Config;
  #build!: BuildContext;

  prepare({ config, build }: PrepareOptions<Config>) {
    this.#config = config;
    this.#build = build;
    return { generatedData: ["ID"] };
  }

  async run({ ui, hook, signal }: BuilderRunOptions): Promise<Artifact> {
    const config = this.#config;
    const id = `img-${crypto.randomUUID().slice(0, 8)}`;
    const image = `${config.image_folder}/${this.#build.name}.json`;
    const machine = `${config.image_folder}/${id}.machine`;
    await runSteps<State>(
      [startMachine, provision, saveImage],
      { config, hook, id, image, machine },
      { ui, signal, build: this.#build },
    );
    return {
      builderId: "example.custom-cloud",
      id,
      files: [image],
      destroy: () => Deno.remove(image),
      toString: () => `Image ${id} in ${config.region}: ${image}`,
    };
  }
}

serveBuilder(CustomCloud);
