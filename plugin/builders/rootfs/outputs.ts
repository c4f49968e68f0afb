// What an image is written as. All of it is made from one tar archive, so that
// the same archive makes the same files.

import { createHash } from "node:crypto";
import { join } from "@std/path";
import { readStream, writeStream } from "../../process/byte_streams.ts";
import { parseByteSize } from "../../builder/byte_size.ts";
import { gzip, zstd } from "../../builder/images/compression.ts";
import { writeExt4 } from "../../builder/namespaces/ext4.ts";
import {
  type OciImage,
  ownPlatform,
  parsePlatform,
  type RunConfig,
  writeOciImage,
} from "../../builder/images/oci_layout.ts";
import { packDirectory, Tree } from "../../builder/namespaces/tree.ts";
import type { UserNamespace } from "../../builder/namespaces/user_namespace.ts";
import { runProgram } from "../../builder/run_program.ts";
import type { Ui } from "../../contract/ui.ts";
import type { RootfsConfig } from "./rootfs_options.ts";

/** What is written, and where to. */
export interface OutputContext {
  /** The user namespace of the build. */
  namespace: UserNamespace;
  /** The tree. */
  tree: Tree;
  /** The image that it is based on. */
  image: OciImage | undefined;
  /** What was made in the tree to mount something at. */
  made: readonly string[];
  /** The build's own directory. */
  scratch: string;
  /** The directory of the result. */
  directory: string;
  /** No time in the result is later, in seconds. */
  maxTime: number | undefined;
  /** Shows what is done. */
  ui: Ui;
  /** Stops when aborted. */
  signal: AbortSignal;
}

/**
 * Writes an image in all its formats.
 *
 * @param config The configuration.
 * @param context The tree, and where it is written.
 * @throws {Error} When one cannot be written.
 */
export async function writeOutputs(
  config: RootfsConfig,
  context: OutputContext,
): Promise<void> {
  const { tree, image, scratch, made, maxTime, ui, signal } = context;
  const formats = new Set(config.formats);
  const at = (extension: string) =>
    join(context.directory, `${config.image_name}${extension}`);
  const isDisk = formats.has("ext4") || formats.has("qcow2");
  const layout = formats.has("oci") ? at(".oci") : join(scratch, "oci");
  const hasOci = formats.has("oci") || formats.has("oci-archive");
  const needsAll = !(hasOci && image) || formats.size >
      Number(formats.has("oci")) + Number(formats.has("oci-archive"));
  const archive = formats.has("tar") ? at(".tar") : join(scratch, "image.tar");
  if (needsAll) {
    await ui.say("Packing the image...");
    await writeStream(archive, tree.pack({ made, maxTime, signal }));
  }
  const write = async (
    extension: "tar.gz" | "tar.zst",
    compressed: (
      source: AsyncIterable<Uint8Array>,
    ) => AsyncIterable<Uint8Array>,
  ) => {
    if (!formats.has(extension)) return;
    await ui.say(`Writing ${config.image_name}.${extension}...`);
    signal.throwIfAborted();
    await writeStream(at(`.${extension}`), compressed(readStream(archive)));
  };
  await write("tar.gz", gzip);
  await write("tar.zst", (source) => zstd(source, signal));
  if (hasOci) {
    await ui.say("Writing the OCI image...");
    let layer = archive;
    if (image) {
      layer = join(scratch, "layer.tar");
      const options = { isDifference: true, made, maxTime, signal };
      await writeStream(layer, tree.pack(options));
    }
    await writeOciImage({
      ...{ directory: layout, layer, base: image, tag: config.oci_tag },
      config: runConfig(config),
      platform: config.oci_platform
        ? parsePlatform(config.oci_platform)
        : image?.config ?? ownPlatform(),
      created: maxTime === undefined ? new Date() : new Date(maxTime * 1000),
    });
  }
  if (formats.has("oci-archive")) {
    await writeStream(
      at(".oci.tar"),
      packDirectory(context.namespace, layout, { maxTime, signal }),
    );
  }
  if (isDisk) await writeDisks(config, context, archive, at, formats);
  if (formats.has("directory")) {
    await ui.say("Writing the directory...");
    if (!context.namespace.hasOwners) {
      await ui.error("All files in the directory belong to this user.");
    }
    await unpack(archive, at(""), context);
  }
}

async function writeDisks(
  config: RootfsConfig,
  context: OutputContext,
  archive: string,
  at: (extension: string) => string,
  formats: ReadonlySet<string>,
): Promise<void> {
  const { namespace, scratch, maxTime, ui, signal } = context;
  await ui.say("Making the file system...");
  const image = formats.has("ext4") ? at(".ext4") : join(scratch, "image.ext4");
  const { root, entries, bytes, owners } = await unpack(
    archive,
    join(scratch, "disk"),
    context,
  );
  await writeExt4({
    ...{ namespace, image, bytes, owners, signal },
    directory: root,
    files: entries,
    size: config.disk_size ? parseByteSize(config.disk_size) : undefined,
    label: config.disk_label,
    uuid: config.disk_uuid ?? await contentUuid(archive),
    time: maxTime,
  });
  if (!formats.has("qcow2")) return;
  await runProgram(
    ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", image, at(".qcow2")],
    { signal },
  );
}

/** Unpacks the image once more, with the times that it has in the result. */
async function unpack(
  archive: string,
  root: string,
  { namespace, signal }: OutputContext,
): Promise<Tree> {
  return await Tree.unpack(
    (async function* () {
      yield await Promise.resolve(readStream(archive));
    })(),
    {
      ...{ namespace, root, signal, hasWhiteouts: false },
      maxBytes: Number.MAX_SAFE_INTEGER,
      maxEntries: Number.MAX_SAFE_INTEGER,
    },
  );
}

/** A UUID (version 8 of RFC 9562) that follows from the bytes of a file. */
async function contentUuid(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of readStream(path)) hash.update(chunk);
  const hex = hash.digest("hex");
  return [
    ...[hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`],
    ...[`8${hex.slice(17, 20)}`, hex.slice(20, 32)],
  ].join("-");
}

function runConfig(config: RootfsConfig): RunConfig {
  const keys = (list: readonly string[]) =>
    Object.fromEntries(list.map((one) => [one, {}]));
  return {
    ...config.oci_user !== undefined && { User: config.oci_user },
    ...config.oci_env && {
      Env: Object.entries(config.oci_env).map(([name, value]) =>
        `${name}=${value}`
      ),
    },
    ...config.oci_entrypoint && { Entrypoint: config.oci_entrypoint },
    ...config.oci_cmd && { Cmd: config.oci_cmd },
    ...config.oci_workdir !== undefined && { WorkingDir: config.oci_workdir },
    ...config.oci_labels && { Labels: config.oci_labels },
    ...config.oci_exposed_ports &&
      { ExposedPorts: keys(config.oci_exposed_ports) },
    ...config.oci_volumes && { Volumes: keys(config.oci_volumes) },
    ...config.oci_stop_signal !== undefined &&
      { StopSignal: config.oci_stop_signal },
  };
}
