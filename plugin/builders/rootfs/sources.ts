// Where an image comes from: its archives, the lowest first.

import { resolve } from "@std/path";
import { filter, readStream } from "../../process/byte_streams.ts";
import { cacheDirectory, download } from "../../builder/download.ts";
import { decompress } from "../../builder/images/compression.ts";
import {
  type OciImage,
  ownPlatform,
  parsePlatform,
  readLayers,
  readOciImage,
} from "../../builder/images/oci_layout.ts";
import { packDirectory, Tree } from "../../builder/namespaces/tree.ts";
import type { UserNamespace } from "../../builder/namespaces/user_namespace.ts";
import type { Ui } from "../../contract/ui.ts";
import type { RootfsConfig } from "./rootfs_options.ts";

/** The archives of a source, and the OCI image that they are of. */
export interface Source {
  /** The archives, not compressed. */
  archives: AsyncIterable<AsyncIterable<Uint8Array>>;
  /** The image whose layers they are. */
  image?: OciImage;
}

/** What opens a source. */
export interface SourceContext {
  /** The user namespace of the build. */
  namespace: UserNamespace;
  /** The build's own directory, for what a source has to keep. */
  scratch: string;
  /** The directory of relative paths. */
  workingDirectory: string;
  /** The time of what has none of its own, in seconds. */
  maxTime: number | undefined;
  /** The limits of {@linkcode Tree.unpack}. */
  limits: { maxBytes: number; maxEntries: number };
  /** Shows what is done. */
  ui: Ui;
  /** Stops when aborted. */
  signal: AbortSignal;
}

/**
 * Opens the source that a configuration names.
 *
 * @param config The configuration.
 * @param context The build.
 * @throws {Error} When it cannot be read.
 */
export async function openSource(
  config: RootfsConfig,
  context: SourceContext,
): Promise<Source> {
  const { namespace, workingDirectory, maxTime, ui, signal } = context;
  const local = (path: string) => resolve(workingDirectory, path);
  if (config.mmdebstrap_suite) return one(mmdebstrap(config, context));
  if (config.source_directory) {
    await ui.say(`Copying ${config.source_directory}`);
    const directory = await Deno.realPath(local(config.source_directory));
    return one(packDirectory(namespace, directory, { maxTime, signal }));
  }
  if (config.source_tar) {
    const url = isUrl(config.source_tar)
      ? config.source_tar
      : local(config.source_tar);
    await ui.say(`Retrieving ${url}`);
    const path = await download({
      urls: [url],
      checksum: config.source_tar_checksum,
      cache: cacheDirectory(),
      ...{ ui, signal },
    });
    return one(decompress(readStream(path), signal));
  }
  const path = local(config.source_oci!);
  await ui.say(`Reading the image ${config.source_oci_tag ?? ""} of ${path}`);
  const image = await readOciImage(
    (await Deno.stat(path)).isFile ? await unpackLayout(path, context) : path,
    config.source_oci_tag,
    config.oci_platform ? parsePlatform(config.oci_platform) : ownPlatform(),
  );
  return { archives: readLayers(image, signal), image };
}

/** Whether it is a URL, and no path. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

function one(archive: AsyncIterable<Uint8Array>): Source {
  return {
    archives: (async function* () {
      yield await Promise.resolve(archive);
    })(),
  };
}

/** Unpacks the tar archive of a layout. */
async function unpackLayout(
  path: string,
  { namespace, scratch, limits, signal }: SourceContext,
): Promise<string> {
  const { root } = await Tree.unpack(
    one(decompress(readStream(path), signal)).archives,
    {
      ...{ namespace, signal, ...limits, hasWhiteouts: false },
      root: `${scratch}/layout`,
    },
  );
  return root;
}

/** Installs Debian: mmdebstrap writes an archive, and what it leaves is in the scratch directory. */
async function* mmdebstrap(
  config: RootfsConfig,
  { namespace, scratch, maxTime, ui, signal }: SourceContext,
): AsyncGenerator<Uint8Array> {
  if (!namespace.hasOwners) {
    throw new Error(
      "mmdebstrap needs more users than one: newuidmap (the package uidmap), and lines for this user in /etc/subuid and /etc/subgid",
    );
  }
  await ui.say(`Installing ${config.mmdebstrap_suite} with mmdebstrap...`);
  const option = (name: string, values: readonly string[] | undefined) =>
    values?.length ? [`--${name}=${values.join(",")}`] : [];
  yield* filter(
    namespace.inside([
      ...["unshare", "--mount", "--pid", "--fork", "--kill-child", "--"],
      ...["mmdebstrap", "--mode=root", "--format=tar"],
      `--variant=${config.mmdebstrap_variant}`,
      ...option("include", config.mmdebstrap_packages),
      ...option("components", config.mmdebstrap_components),
      ...config.mmdebstrap_architecture
        ? [`--architectures=${config.mmdebstrap_architecture}`]
        : [],
      ...config.mmdebstrap_options ?? [],
      ...[config.mmdebstrap_suite!, "-", ...config.mmdebstrap_mirrors ?? []],
    ]),
    [],
    {
      signal,
      env: {
        TMPDIR: scratch,
        ...maxTime === undefined ? {} : { SOURCE_DATE_EPOCH: String(maxTime) },
      },
      onLine: (line) => ui.message(line),
    },
  );
}
