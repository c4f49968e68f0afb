// The checks of a configuration that one option alone cannot make.

import { resolve } from "@std/path";
import { parseByteSize } from "../../builder/byte_size.ts";
import { parseChecksum } from "../../builder/download.ts";
import { parsePlatform } from "../../builder/images/oci_layout.ts";
import type { Volume } from "../../builder/namespaces/mounts.ts";
import { outputDirectoryProblems } from "../../builder/output_directory.ts";
import type { BuildContext } from "../../contract/build_context.ts";
import type { ConfigProblem } from "../../contract/config_error.ts";
import type { RootfsConfig } from "./rootfs_options.ts";
import { isUrl } from "./sources.ts";

/** The longest label of ext4, in bytes. */
const MAX_LABEL_BYTES = 16;

const SOURCES = [
  "mmdebstrap_suite",
  "source_tar",
  "source_directory",
  "source_oci",
] as const;

/** What a configuration was read as. */
export interface CheckedConfig {
  /** Every problem, with its path. */
  problems: ConfigProblem[];
  /** The volumes. */
  volumes: Volume[];
  /** `SOURCE_DATE_EPOCH`: no time in the result is later, in seconds. */
  maxTime: number | undefined;
}

/**
 * Checks a configuration; starts and reads nothing.
 *
 * @param config The configuration.
 * @param build The build that it is for.
 * @param directory The directory of the result.
 */
export async function checkConfig(
  config: RootfsConfig,
  build: BuildContext,
  directory: string,
): Promise<CheckedConfig> {
  const problems: ConfigProblem[] = [];
  const problem = (key: keyof RootfsConfig & string, message: string) =>
    void problems.push({ path: [key], message });
  const attempt = (key: keyof RootfsConfig & string, check: () => void) => {
    try {
      check();
    } catch (error) {
      problem(key, (error as Error).message);
    }
  };
  const sources = SOURCES.filter((key) => config[key]);
  if (sources.length !== 1) {
    problem(
      sources[1] ?? "source_tar",
      `one of ${SOURCES.join(", ")} must be given` +
        (sources.length > 1 ? `, not ${sources.join(" and ")}` : ""),
    );
  }
  const { source_tar_checksum: checksum } = config;
  if (config.source_tar && isUrl(config.source_tar) && checksum === "none") {
    problem("source_tar_checksum", "a URL needs the checksum of its archive");
  }
  if (!/^(none$|file:)/.test(checksum)) {
    attempt("source_tar_checksum", () => void parseChecksum(checksum));
  }
  for (const key of ["max_size", "disk_size"] as const) {
    const size = config[key];
    if (size) attempt(key, () => void parseByteSize(size));
  }
  const { oci_platform: platform, image_name: name } = config;
  if (platform) attempt("oci_platform", () => void parsePlatform(platform));
  if (!/^[\w][\w.+-]*$/.test(name)) {
    problem("image_name", `"${name}" cannot be the name of a file`);
  }
  if (config.formats.length === 0) problem("formats", "must not be empty");
  const labelBytes = new TextEncoder().encode(config.disk_label).length;
  if (labelBytes > MAX_LABEL_BYTES) {
    problem("disk_label", `may have ${MAX_LABEL_BYTES} bytes at most`);
  }
  const uuid = config.disk_uuid;
  if (uuid && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid)) {
    problem("disk_uuid", `"${uuid}" is not a UUID`);
  }
  if (config.privileged && Deno.uid() !== 0) {
    problem("privileged", "only root may run a privileged build");
  }
  for (const path of config.tmpfs) {
    if (!path.startsWith("/")) {
      problem("tmpfs", `"${path}" is not an absolute path`);
    }
  }
  const volumes = readVolumes(config, build, problems);
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH");
  if (epoch !== undefined && !/^\d{1,11}$/.test(epoch)) {
    problems.push({
      path: [],
      message: `SOURCE_DATE_EPOCH is not a number of seconds: "${epoch}"`,
    });
  }
  problems.push(
    ...await outputDirectoryProblems({ directory, force: build.force }),
  );
  if (Deno.build.os !== "linux") {
    problems.push({ path: [], message: "rootfs builds on Linux alone" });
  }
  const maxTime = epoch === undefined ? undefined : Number(epoch);
  return { problems, volumes, maxTime };
}

function readVolumes(
  config: RootfsConfig,
  build: BuildContext,
  problems: ConfigProblem[],
): Volume[] {
  return Object.entries(config.volumes ?? {}).map(([source, text]) => {
    const isReadOnly = text.endsWith(":ro");
    const target = isReadOnly ? text.slice(0, -":ro".length) : text;
    if (!target.startsWith("/")) {
      problems.push({
        path: ["volumes", source],
        message: `"${target}" is not an absolute path`,
      });
    }
    return {
      source: resolve(build.workingDirectory, source),
      target,
      isReadOnly,
    };
  });
}
