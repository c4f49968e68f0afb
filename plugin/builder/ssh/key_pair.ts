// A temporary key pair, for a machine that gets its key when it is created.

import { join } from "@std/path";
import { TemporaryDirectory } from "../../process/temporary_directory.ts";

/** What a {@linkcode TemporaryKeyPair} is made of. */
export interface KeyPairOptions {
  /** `rsa`, `ecdsa` or `ed25519`; Packer's default, `rsa`, unless given. */
  type?: string | undefined;
  /** The length of the key in bits; the type's default unless given. */
  bits?: number | undefined;
  /** The comment of the public key; `packer` and a random id unless given. */
  name?: string | undefined;
}

/** The lengths that each type has; the first is the default. */
const BITS: Readonly<Record<string, readonly number[]>> = {
  rsa: [2048, 3072, 4096, 1024],
  ecdsa: [521, 256, 384],
  ed25519: [256],
};

/** A key pair in a private directory, which goes away with it. */
export class TemporaryKeyPair implements AsyncDisposable {
  /** The path of the private key. */
  readonly privateKeyFile: string;
  /** The private key, in PEM. */
  readonly privateKey: string;
  /** The public key, as one line of authorized_keys without its line end. */
  readonly publicKey: string;
  /** The comment of the public key. */
  readonly name: string;
  readonly #directory: TemporaryDirectory;

  private constructor(
    directory: TemporaryDirectory,
    name: string,
    privateKey: string,
    publicKey: string,
  ) {
    this.#directory = directory;
    this.name = name;
    this.privateKeyFile = join(directory.path, "key");
    this.privateKey = privateKey;
    this.publicKey = publicKey;
  }

  /**
   * Makes one, by ssh-keygen.
   *
   * @param options The type, the length and the name.
   * @throws {Error} When there is no such type or length, or no ssh-keygen.
   */
  static async create(options: KeyPairOptions = {}): Promise<TemporaryKeyPair> {
    const type = (options.type || "rsa").toLowerCase();
    const lengths = BITS[type];
    if (!Object.hasOwn(BITS, type) || !lengths) {
      throw new Error(
        `there is no key type "${type}"; the types are ${
          Object.keys(BITS).join(", ")
        }`,
      );
    }
    const bits = options.bits || lengths[0]!;
    const fits = type === "rsa" ? bits >= 1024 : lengths.includes(bits);
    if (!fits) {
      throw new Error(
        `a key of type ${type} cannot have ${bits} bits; it has ${
          lengths.toSorted((a, b) => a - b).join(", ")
        }`,
      );
    }
    const name = options.name || `packer_${crypto.randomUUID()}`;
    const directory = await TemporaryDirectory.create({ prefix: "baler-key-" });
    const path = join(directory.path, "key");
    try {
      const { success, stderr } = await new Deno.Command("ssh-keygen", {
        args: [
          "-q",
          "-t",
          type,
          "-b",
          String(bits),
          "-m",
          type === "ed25519" ? "RFC4716" : "PEM",
          "-N",
          "",
          "-C",
          name,
          "-f",
          path,
        ],
        stdin: "null",
        stdout: "null",
      }).output();
      if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
      return new TemporaryKeyPair(
        directory,
        name,
        await Deno.readTextFile(path),
        (await Deno.readTextFile(`${path}.pub`)).trim(),
      );
    } catch (cause) {
      await directory[Symbol.asyncDispose]();
      throw new Error(
        `cannot make a key pair with ssh-keygen: ${(cause as Error).message}`,
        { cause },
      );
    }
  }

  /** Deletes the key. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]().catch(() => {});
  }
}
