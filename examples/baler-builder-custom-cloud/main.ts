// A builder for a cloud of one's own. This one keeps its images as files in a
// folder, so that it can be tried anywhere.

import {
  type Artifact,
  type Builder,
  type BuilderRunOptions,
  type ConfigOf,
  HOOK_PROVISION,
  type Options,
  type PrepareOptions,
  serveBuilder,
} from "@baler/baler";

const options = {
  region: {
    type: "string",
    description: "Where the machine runs while it is being built.",
    default: "north-1",
  },
  image_folder: {
    type: "string",
    description: "The folder that the image is written to.",
    default: "images",
  },
} as const satisfies Options;

type Config = ConfigOf<typeof options>;

class CustomCloud implements Builder<Config> {
  readonly options = options;
  #config!: Config;
  #name = "";

  prepare({ config, build }: PrepareOptions<Config>) {
    this.#config = config;
    this.#name = build.name;
  }

  async run({ ui, hook, signal }: BuilderRunOptions): Promise<Artifact> {
    const { region, image_folder } = this.#config;
    const id = `img-${crypto.randomUUID().slice(0, 8)}`;

    await ui.say(`Starting a machine in ${region}...`);
    await hook.run({ name: HOOK_PROVISION, ui, signal, data: { ID: id } });

    const file = `${image_folder}/${this.#name}.json`;
    await ui.say(`Saving the image as ${file}...`);
    signal.throwIfAborted();
    await Deno.mkdir(image_folder, { recursive: true });
    await Deno.writeTextFile(file, JSON.stringify({ id, region }) + "\n");

    return {
      builderId: "example.custom-cloud",
      id,
      files: [file],
      destroy: () => Deno.remove(file),
      toString: () => `Image ${id} in ${region}: ${file}`,
    };
  }
}

serveBuilder(new CustomCloud());
