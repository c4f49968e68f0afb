// Images on disk as the Open Container Initiative lays them out.
// Source: https://github.com/opencontainers/image-spec (image-layout, manifest,
// config, layer).

import { createHash } from "node:crypto";
import { join } from "@std/path";
import { readStream, writeStream } from "../../process/byte_streams.ts";
import { decompress, gzip } from "./compression.ts";

const MEDIA_TYPE = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;

/** Docker's names of what is the same. */
const DOCKER = {
  index: "application/vnd.docker.distribution.manifest.list.v2+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

const REF_NAME = "org.opencontainers.image.ref.name";

/** The largest document that is read, in bytes. */
const MAX_JSON_BYTES = 4 * 1024 * 1024;
/** How many indexes may be in one another. */
const MAX_INDEX_DEPTH = 4;
/** The most layers that an image has. */
const MAX_LAYERS = 1000;

/** A reference to a blob. */
export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
  platform?: Platform;
}

/** What an image runs on. */
export interface Platform {
  os: string;
  architecture: string;
  variant?: string | undefined;
}

/** How containers of an image run. */
export interface RunConfig {
  User?: string;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  WorkingDir?: string;
  Labels?: Record<string, string>;
  ExposedPorts?: Record<string, Record<never, never>>;
  Volumes?: Record<string, Record<never, never>>;
  StopSignal?: string;
}

/** The configuration of an image. */
export interface ImageConfig {
  created?: string;
  architecture: string;
  os: string;
  variant?: string;
  config?: RunConfig;
  rootfs: { type: "layers"; diff_ids: string[] };
  history?: Record<string, unknown>[];
}

/** An image in a layout. */
export interface OciImage {
  /** The layout's directory. */
  directory: string;
  /** Its layers, the lowest first. */
  layers: Descriptor[];
  /** Its configuration. */
  config: ImageConfig;
}

/**
 * Reads an image's manifest and configuration.
 *
 * @param directory The layout.
 * @param tag The image's name in it; may be left out where there is one alone.
 * @param platform Which of several, where the name is of an image for more.
 * @throws {Error} When there is none, or it is damaged.
 */
export async function readOciImage(
  directory: string,
  tag: string | undefined,
  platform: Platform,
): Promise<OciImage> {
  const layout = await readJson(join(directory, "oci-layout")).catch(() => {
    throw new Error(`${directory} is not an OCI layout: it has no oci-layout`);
  });
  if (layout.imageLayoutVersion !== "1.0.0") {
    throw new Error(
      `${directory} has the unknown version ${layout.imageLayoutVersion}`,
    );
  }
  let found = choose(
    descriptors((await readJson(join(directory, "index.json"))).manifests),
    tag,
    directory,
  );
  for (let depth = 0; isIndex(found); depth++) {
    if (depth === MAX_INDEX_DEPTH) {
      throw new Error(`${directory} has indexes in indexes`);
    }
    const { manifests } = await readBlobJson(directory, found);
    found = ofPlatform(descriptors(manifests), platform);
  }
  const manifest = await readBlobJson(directory, found);
  const layers = descriptors(manifest.layers);
  const [configBlob] = descriptors([manifest.config]);
  const config = await readBlobJson(directory, configBlob!) as
    & Record<string, unknown>
    & ImageConfig;
  const ids = config.rootfs?.diff_ids;
  if (
    !Array.isArray(ids) || ids.length !== layers.length ||
    layers.length > MAX_LAYERS || typeof config.architecture !== "string" ||
    typeof config.os !== "string"
  ) {
    throw new Error(
      `the configuration of the image in ${directory} is damaged`,
    );
  }
  return { directory, layers, config };
}

function isIndex({ mediaType }: Descriptor): boolean {
  return mediaType === MEDIA_TYPE.index || mediaType === DOCKER.index;
}

function choose(
  all: readonly Descriptor[],
  tag: string | undefined,
  directory: string,
): Descriptor {
  const nameOf = ({ annotations }: Descriptor) => annotations?.[REF_NAME];
  const found = tag === undefined
    ? all.length === 1 ? all[0] : undefined
    : all.find((one) => nameOf(one) === tag);
  if (found !== undefined) return found;
  const names = all.map(nameOf).filter((name) => name !== undefined);
  throw new Error(
    `${directory} has ${
      tag === undefined ? "more than one image" : `no image "${tag}"`
    }; there are: ${names.join(", ") || "none with a name"}`,
  );
}

function ofPlatform(
  all: readonly Descriptor[],
  { os, architecture, variant }: Platform,
): Descriptor {
  const found = all.find(({ platform }) =>
    platform?.os === os && platform.architecture === architecture &&
    (variant === undefined || platform.variant === variant)
  );
  if (found !== undefined) return found;
  const names = all.map(({ platform }) =>
    platform ? platformName(platform) : "unknown"
  );
  throw new Error(
    `the image is not for ${
      platformName({ os, architecture, variant })
    }; it is for: ${names.join(", ")}`,
  );
}

/** A platform as `linux/arm64/v8`. */
export function platformName(
  { os, architecture, variant }: Platform,
): string {
  return [os, architecture, variant].filter(Boolean).join("/");
}

/**
 * Reads a platform.
 *
 * @param text Such as `linux/amd64` or `linux/arm64/v8`.
 * @throws {Error} When it is none.
 */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...rest] = text.split("/");
  if (!os || !architecture || variant === "" || rest.length > 0) {
    throw new Error(`"${text}" is not a platform; write it as linux/amd64`);
  }
  return { os, architecture, ...variant ? { variant } : {} };
}

/** The platform of this machine. */
export function ownPlatform(): Platform {
  return {
    os: "linux",
    architecture: Deno.build.arch === "aarch64" ? "arm64" : "amd64",
  };
}

/**
 * The layers of an image, not compressed, the lowest first.
 *
 * @param image The image.
 * @param signal Stops when aborted.
 * @throws {Error} When the bytes of one are not those that its digest is of.
 */
export async function* readLayers(
  { directory, layers, config }: OciImage,
  signal?: AbortSignal,
): AsyncGenerator<AsyncIterable<Uint8Array>> {
  for (const [index, layer] of layers.entries()) {
    yield checked(
      decompress(readBlob(directory, layer), signal),
      config.rootfs.diff_ids[index]!,
    );
  }
}

async function* readBlob(
  directory: string,
  { digest, size }: Descriptor,
): AsyncGenerator<Uint8Array> {
  const path = blobPath(directory, digest);
  const { size: actual } = await Deno.stat(path).catch((cause) => {
    throw new Error(`the blob ${digest} cannot be read: ${cause.message}`, {
      cause,
    });
  });
  if (actual !== size) {
    throw new Error(`the blob ${digest} has ${actual} bytes, not ${size}`);
  }
  yield* checked(readStream(path), digest);
}

/** Passes bytes on, and throws at their end if their digest is another. */
async function* checked(
  source: AsyncIterable<Uint8Array>,
  digest: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash(algorithmOf(digest));
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
  const actual = hash.digest("hex");
  if (!digest.endsWith(`:${actual}`)) {
    throw new Error(`the digest of ${digest} is ${actual}: it is damaged`);
  }
}

function algorithmOf(digest: string): "sha256" | "sha512" {
  if (/^sha256:[0-9a-f]{64}$/.test(digest)) return "sha256";
  if (/^sha512:[0-9a-f]{128}$/.test(digest)) return "sha512";
  throw new Error(`${JSON.stringify(digest)} is not a digest`);
}

function blobPath(directory: string, digest: string): string {
  const algorithm = algorithmOf(digest);
  return join(
    ...[directory, "blobs", algorithm] as const,
    digest.slice(algorithm.length + 1),
  );
}

async function readBlobJson(
  directory: string,
  descriptor: Descriptor,
): Promise<Record<string, unknown>> {
  if (descriptor.size > MAX_JSON_BYTES) {
    throw new Error(`the blob ${descriptor.digest} is too large for JSON`);
  }
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of readBlob(directory, descriptor)) {
    chunks.push(chunk.slice());
  }
  return parse(await new Blob(chunks).text(), descriptor.digest);
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  if ((await Deno.stat(path)).size > MAX_JSON_BYTES) {
    throw new Error(`${path} is too large`);
  }
  return parse(await Deno.readTextFile(path), path);
}

function parse(text: string, name: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch { /* It is none of the kinds below. */ }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`${name} is not a JSON object`);
  }
  return value as Record<string, unknown>;
}

function descriptors(value: unknown): Descriptor[] {
  const isDescriptor = (one: unknown): one is Descriptor => {
    const { digest, size, mediaType } = (one ?? {}) as Partial<Descriptor>;
    return typeof digest === "string" && typeof mediaType === "string" &&
      Number.isSafeInteger(size) && size! >= 0;
  };
  if (!Array.isArray(value) || !value.every(isDescriptor)) {
    throw new Error("the image has a damaged manifest or index");
  }
  return value;
}

/** What {@linkcode writeOciImage} writes. */
export interface WriteOciOptions {
  /** The layout's directory, which is made. */
  directory: string;
  /** The tar archive of the image's own layer. */
  layer: string;
  /** The image below it, whose layers and settings it keeps. */
  base?: OciImage | undefined;
  /** What containers run with, beside what the base has; labels and variables are added to its own. */
  config: RunConfig;
  /** What it runs on. */
  platform: Platform;
  /** Its name in the layout. */
  tag: string;
  /** The time that it says it was made at. */
  created: Date;
}

/**
 * Writes an image: the base's layers as they are, and one layer on top.
 *
 * @param options The image.
 * @throws {Error} When a file cannot be read or written.
 */
export async function writeOciImage(
  { directory, layer, base, config, platform, tag, created }: WriteOciOptions,
): Promise<void> {
  await Deno.mkdir(join(directory, "blobs", "sha256"), { recursive: true });
  const layers: Descriptor[] = [];
  for (const one of base?.layers ?? []) {
    const { mediaType, digest, size } = one;
    const target = blobPath(directory, digest);
    await Deno.mkdir(join(target, ".."), { recursive: true });
    await Deno.copyFile(blobPath(base!.directory, digest), target);
    layers.push({
      mediaType: mediaType === DOCKER.layer
        ? `${MEDIA_TYPE.layer}+gzip`
        : mediaType,
      ...{ digest, size },
    });
  }
  const diffId = createHash("sha256");
  layers.push({
    mediaType: `${MEDIA_TYPE.layer}+gzip`,
    ...await writeBlob(
      directory,
      gzip((async function* () {
        for await (const chunk of readStream(layer)) {
          diffId.update(chunk);
          yield chunk;
        }
      })()),
    ),
  });
  const time = `${created.toISOString().slice(0, 19)}Z`;
  const image: ImageConfig = {
    ...base?.config,
    created: time,
    architecture: platform.architecture,
    os: platform.os,
    ...platform.variant ? { variant: platform.variant } : {},
    config: merge(base?.config.config ?? {}, config),
    rootfs: {
      type: "layers",
      diff_ids: [
        ...base?.config.rootfs.diff_ids ?? [],
        `sha256:${diffId.digest("hex")}`,
      ],
    },
    history: [
      ...base?.config.history ?? [],
      { created: time, created_by: "baler" },
    ],
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: {
      mediaType: MEDIA_TYPE.config,
      ...await writeBlob(directory, json(image)),
    },
    layers,
  };
  const index = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.index,
    manifests: [{
      mediaType: MEDIA_TYPE.manifest,
      ...await writeBlob(directory, json(manifest)),
      platform,
      annotations: { [REF_NAME]: tag },
    }],
  };
  await Deno.writeTextFile(
    join(directory, "index.json"),
    JSON.stringify(index),
  );
  await Deno.writeTextFile(
    join(directory, "oci-layout"),
    JSON.stringify({ imageLayoutVersion: "1.0.0" }),
  );
}

function merge(base: RunConfig, own: RunConfig): RunConfig {
  const names = new Set(own.Env?.map((one) => one.split("=", 1)[0]));
  const env = [
    ...(base.Env ?? []).filter((one) => !names.has(one.split("=", 1)[0])),
    ...own.Env ?? [],
  ];
  const labels = { ...base.Labels, ...own.Labels };
  return {
    ...base,
    // A command of the base is for its entrypoint.
    ...own.Entrypoint && !own.Cmd ? { Cmd: [] } : {},
    ...own,
    ...env.length > 0 ? { Env: env } : {},
    ...Object.keys(labels).length > 0 ? { Labels: labels } : {},
  };
}

async function* json(value: unknown): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(new TextEncoder().encode(JSON.stringify(value)));
}

/** Writes bytes under the name of their digest. */
async function writeBlob(
  directory: string,
  content: AsyncIterable<Uint8Array>,
): Promise<{ digest: string; size: number }> {
  const blobs = join(directory, "blobs", "sha256");
  const partial = join(blobs, ".partial");
  const hash = createHash("sha256");
  let size = 0;
  await writeStream(
    partial,
    (async function* () {
      for await (const chunk of content) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    })(),
  );
  const hex = hash.digest("hex");
  await Deno.rename(partial, join(blobs, hex));
  return { digest: `sha256:${hex}`, size };
}
