// The disks of a machine, made and compacted by qemu-img.

import { join } from "@std/path";
import { runProgram } from "../../builder/mod.ts";
import type { Ui } from "../../contract/ui.ts";
import type { QemuConfig } from "./qemu_options.ts";

/** The subcommands of qemu-img to which a template can add arguments. */
export const QEMU_IMG_COMMANDS = ["convert", "create", "resize"] as const;

/** Further arguments of qemu-img, by its subcommands. */
export type QemuImgArgs = {
  readonly [command in typeof QEMU_IMG_COMMANDS[number]]?: readonly string[];
};

/** Where the disks of a machine are, and what the first one starts as. */
export interface DiskOptions {
  /** The directory of the disks. */
  readonly directory: string;
  /** The machine's name. */
  readonly name: string;
  /** The disk image that the first disk starts as, if there is one. */
  readonly image?: string | undefined;
}

/** What a command of qemu-img needs beside its arguments. */
interface Context {
  readonly ui: Ui;
  readonly signal: AbortSignal;
}

/**
 * The path of a disk.
 *
 * @param options The directory and the machine's name.
 * @param index The number of the disk, from 0.
 */
export function diskPath(
  { directory, name }: Pick<DiskOptions, "directory" | "name">,
  index = 0,
): string {
  return join(directory, index === 0 ? name : `${name}-${index}`);
}

/**
 * Makes the disks of a machine.
 *
 * @param config The configuration.
 * @param options Where they are made.
 * @param context Where progress is shown, and what stops it.
 * @returns The paths of the disks.
 */
export async function makeDisks(
  config: QemuConfig,
  options: DiskOptions,
  { ui, signal }: Context,
): Promise<string[]> {
  const { format } = config;
  const { image } = options;
  const { create = [], convert = [] } = qemuImgArgs(config);
  const qemuImg = (...args: string[]) =>
    runProgram(["qemu-img", ...args], { signal });
  const path = diskPath(options);
  const sizes = config.disk_additional_size ?? [];
  if (sizes.length > 0 || config.use_backing_file) {
    await ui.say("Creating required virtual machine disks");
  }
  const make = (path: string, size: string) =>
    qemuImg("create", "-f", format, ...create, path, sizeArgument(size));
  if (image === undefined) await make(path, config.disk_size);
  else {
    const { format: imageFormat } = await imageInfo(image, signal);
    if (config.use_backing_file) {
      await qemuImg(
        ...["create", "-f", format, "-b", await Deno.realPath(image)],
        ...["-F", imageFormat, ...create, path],
      );
    } else {
      await ui.say("Copying hard drive...");
      if (imageFormat === format && convert.length === 0) {
        await Deno.copyFile(image, path);
        signal.throwIfAborted();
      } else await qemuImg("convert", ...convert, "-O", format, image, path);
    }
    // The copy of an image that may not be written is written.
    await Deno.chmod(path, 0o644);
    if (!config.skip_resize_disk) await resize(config, path, { ui, signal });
  }
  const paths = [path];
  for (const [index, size] of sizes.entries()) {
    const more = diskPath(options, index + 1);
    await make(more, size);
    paths.push(more);
  }
  return paths;
}

/** Grows a disk to `disk_size`. A larger one keeps its size: its end may be in use. */
async function resize(
  config: QemuConfig,
  path: string,
  { ui, signal }: Context,
): Promise<void> {
  const { size } = await imageInfo(path, signal);
  const wanted = bytesOf(config.disk_size);
  if (wanted < size) {
    await ui.message(
      `The disk image has ${size} bytes, more than the disk_size ${config.disk_size}: it keeps its size.`,
    );
  }
  if (wanted <= size) return;
  await ui.say("Resizing hard drive...");
  const { resize = [] } = qemuImgArgs(config);
  await runProgram(
    [
      ...["qemu-img", "resize", "-f", config.format, ...resize],
      ...[path, sizeArgument(config.disk_size)],
    ],
    { signal },
  );
}

/**
 * Compacts or compresses the first disk, as the configuration asks for.
 *
 * @param config The configuration.
 * @param path The disk.
 * @param context Where progress is shown, and what stops it.
 */
export async function compactDisk(
  config: QemuConfig,
  path: string,
  { ui, signal }: Context,
): Promise<void> {
  const { format, skip_compaction, disk_compression } = config;
  // A converted overlay would no longer be one.
  if (format !== "qcow2" || config.use_backing_file) return;
  if (skip_compaction && !disk_compression) return;
  await ui.say("Converting hard drive...");
  const { convert = [] } = qemuImgArgs(config);
  const compacted = `${path}.convert`;
  await runProgram([
    ...["qemu-img", "convert", ...(disk_compression ? ["-c"] : [])],
    ...[...convert, "-O", format, path, compacted],
  ], { signal });
  await Deno.rename(compacted, path);
}

async function imageInfo(
  path: string,
  signal: AbortSignal,
): Promise<{ format: string; size: number }> {
  const { format, "virtual-size": size } = JSON.parse(
    await runProgram(["qemu-img", "info", "--output=json", path], { signal }),
  ) as { format: string; "virtual-size": number };
  return { format, size };
}

function qemuImgArgs({ qemu_img_args }: QemuConfig): QemuImgArgs {
  return parseQemuImgArgs(qemu_img_args);
}

/**
 * Reads `qemu_img_args`.
 *
 * @param value An object of lists of strings.
 * @throws {TypeError} When it is no such object.
 */
export function parseQemuImgArgs(value: unknown): QemuImgArgs {
  if (value === undefined || value === null) return {};
  const isObject = typeof value === "object" && !Array.isArray(value) &&
    Object.entries(value).every(([name, args]) =>
      (QEMU_IMG_COMMANDS as readonly string[]).includes(name) &&
      Array.isArray(args) && args.every((arg) => typeof arg === "string")
    );
  if (!isObject) {
    throw new TypeError(
      `must be an object with lists of strings as ${
        QEMU_IMG_COMMANDS.join(", ")
      }`,
    );
  }
  return value as QemuImgArgs;
}

/** A size for qemu-img: a bare number is MiB. */
function sizeArgument(size: string): string {
  return /^\d+$/.test(size) ? `${size}M` : size.replace(/b$/i, "");
}

const UNITS = "KMGTPE";

/**
 * Reads the size of a disk.
 *
 * @param size Such as `10G`; a bare number is MiB.
 * @returns The bytes.
 * @throws {Error} When it is no size, or zero.
 */
export function bytesOf(size: string): number {
  const [, number, unit = "M"] = /^(\d+)([KMGTPE])?b?$/i.exec(size) ?? [];
  const bytes = Number(number) *
    1024 ** (UNITS.indexOf(unit.toUpperCase()) + 1);
  if (!(bytes > 0)) {
    throw new Error(
      `"${size}" is not the size of a disk; write it as 10G or 40960M`,
    );
  }
  return bytes;
}
