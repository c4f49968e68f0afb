// Two components in one executable: a provisioner that writes a greeting to a
// file on the machine, and a post-processor that signs the files of an artifact.

import {
  type Artifact,
  type ConfigOf,
  type Options,
  type PostProcessOptions,
  type PostProcessor,
  type PostProcessResult,
  type PrepareOptions,
  type Provisioner,
  type ProvisionOptions,
  serve,
} from "@baler/baler";

const greetOptions = {
  text: {
    type: "string",
    description: "The greeting.",
    default: "Built by baler",
  },
  path: {
    type: "string",
    description: "The file on the machine that the greeting is written to.",
    required: true,
  },
} as const satisfies Options;

class Greet implements Provisioner<ConfigOf<typeof greetOptions>> {
  readonly options = greetOptions;
  #config!: ConfigOf<typeof greetOptions>;

  prepare({ config }: PrepareOptions<ConfigOf<typeof greetOptions>>) {
    this.#config = config;
  }

  async provision({ ui, communicator, signal }: ProvisionOptions) {
    if (communicator === undefined) {
      throw new Error("greet needs a builder that has a communicator");
    }
    const { text, path } = this.#config;
    await ui.say(`Leaving a greeting in ${path}`);
    // The builder's process reads the stream, no faster than it writes the file.
    const source = new Blob([`${text}\n`]).stream();
    await communicator.upload({ path, source, signal });
  }
}

const signOptions = {
  key: {
    type: "string",
    description: "The secret that the signature is made with.",
    required: true,
  },
} as const satisfies Options;

class Sign implements PostProcessor<ConfigOf<typeof signOptions>> {
  readonly options = signOptions;
  #key = "";

  configure({ config }: PrepareOptions<ConfigOf<typeof signOptions>>) {
    this.#key = config.key;
  }

  async postProcess(
    { ui, artifact, signal }: PostProcessOptions,
  ): Promise<PostProcessResult> {
    const key = await crypto.subtle.importKey(
      "raw",
      new TextEncoder().encode(this.#key),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    );
    const signatures: string[] = [];
    for (const file of artifact.files) {
      signal.throwIfAborted();
      await ui.message(`Signing ${file}`);
      const content = await Deno.readFile(file);
      const signature = await crypto.subtle.sign("HMAC", key, content);
      const hex = Array.from(
        new Uint8Array(signature),
        (byte) => byte.toString(16).padStart(2, "0"),
      ).join("");
      await Deno.writeTextFile(`${file}.hmac`, `${hex}\n`);
      signatures.push(`${file}.hmac`);
    }
    const signed: Artifact = {
      builderId: "example.sign",
      id: artifact.id,
      files: [...artifact.files, ...signatures],
      async destroy() {
        for (const file of signatures) await Deno.remove(file);
      },
      toString: () => `Signed: ${artifact.files.join(", ")}`,
    };
    // The signatures are useless without the files that they sign.
    return { artifact: signed, keep: true, mustKeep: true };
  }
}

serve({ provisioner: { greet: Greet }, "post-processor": { sign: Sign } });
