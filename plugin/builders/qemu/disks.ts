// The disks of a machine, made and compacted by qemu-img.

import type { QemuConfig } from "./qemu_options.ts";
import { runProgram } from "../../builder/run_program.ts";
import { diskPath } from "./qemu_command.ts";

/**
 * Makes the disks of a machine.
 *
 * @param config The configuration.
 * @param directory Where they are made.
 * @param name The machine's name.
 * @param image The disk image that the first one starts as, if there is one.
 * @param signal Stops when aborted.
 * @returns The paths of the disks.
 */
export async function makeDisks(
  config: QemuConfig,
  directory: string,
  name: string,
  image: string | undefined,
  signal: AbortSignal,
): Promise<string[]> {
  const qemuImg = (...args: string[]) =>
    runProgram(["qemu-img", ...args], { signal });
  const path = diskPath(directory, name);
  const { format } = config;
  if (image === undefined) {
    await qemuImg("create", "-f", format, path, sizeOf(config.disk_size));
  } else {
    const info = JSON.parse(
      await qemuImg("info", "--output=json", image),
    ) as { format: string };
    if (config.use_backing_file) {
      await qemuImg(
        ...["create", "-f", format, "-b", await Deno.realPath(image)],
        ...["-F", info.format, path],
      );
    } else if (info.format === format) await Deno.copyFile(image, path);
    else await qemuImg("convert", "-O", format, image, path);
    if (!config.skip_resize_disk) await resize(config, path, qemuImg);
  }
  const more = (config.disk_additional_size ?? []).map((size, index) => ({
    size,
    path: diskPath(directory, name, index + 1),
  }));
  for (const { size, path } of more) {
    await qemuImg("create", "-f", format, path, sizeOf(size));
  }
  return [path, ...more.map(({ path }) => path)];
}

/** Grows a disk image; the default size grows none that a template does not name. */
async function resize(
  config: QemuConfig,
  path: string,
  qemuImg: (...args: string[]) => Promise<string>,
): Promise<void> {
  const info = JSON.parse(
    await qemuImg("info", "--output=json", path),
  ) as { "virtual-size": number };
  const wanted = bytesOf(config.disk_size);
  if (wanted < info["virtual-size"]) return;
  await qemuImg("resize", "-f", config.format, path, sizeOf(config.disk_size));
}

/**
 * Compacts or compresses the first disk, as the configuration says.
 *
 * @param config The configuration.
 * @param path The disk.
 * @param signal Stops when aborted.
 * @returns Whether there was anything to do.
 */
export async function compact(
  config: QemuConfig,
  path: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { format, skip_compaction, disk_compression } = config;
  // An overlay would lose its backing file.
  if (format !== "qcow2" || config.use_backing_file) return false;
  if (skip_compaction && !disk_compression) return false;
  const compacted = `${path}.convert`;
  try {
    await runProgram([
      ...["qemu-img", "convert", "-O", format],
      ...(disk_compression ? ["-c"] : []),
      ...[path, compacted],
    ], { signal });
    await Deno.rename(compacted, path);
  } catch (error) {
    await Deno.remove(compacted).catch(() => {});
    throw error;
  }
  return true;
}

/** A size for qemu-img: a bare number is MiB. */
function sizeOf(size: string): string {
  return /^\d+$/.test(size) ? `${size}M` : size.replace(/b$/i, "");
}

const UNITS = "KMGTPE";

/**
 * Reads a size.
 *
 * @param size Such as `10G`; a bare number is MiB.
 * @returns The bytes.
 * @throws {Error} When it is none.
 */
export function bytesOf(size: string): number {
  const [, number, unit = "M"] =
    /^(\d+(?:\.\d+)?)\s*([KMGTPE])?i?b?$/i.exec(size) ?? [];
  if (number === undefined) {
    throw new Error(`"${size}" is not a size; write it as 10G or 40960M`);
  }
  return Number(number) * 1024 ** (UNITS.indexOf(unit.toUpperCase()) + 1);
}
