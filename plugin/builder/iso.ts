// The installation medium or disk image of a machine: Packer's iso_* options,
// and the step that downloads it.

import { resolve } from "@std/path";
import type { ConfigProblem } from "../contract/config_error.ts";
import type { ConfigOf, Options } from "../contract/options.ts";
import { cacheDirectory, download, parseChecksum } from "./download.ts";
import type { Step } from "./steps.ts";

/** Packer's options for the medium that a machine boots from. */
export const isoOptions = {
  iso_url: {
    type: "string",
    description: "The URL or the path of an ISO or a disk image.",
  },
  iso_urls: {
    type: "strings",
    description: "Several URLs of the same file, tried in order.",
  },
  iso_checksum: {
    type: "string",
    description:
      "The file's checksum, such as `sha256:HEX`, `file:URL` or `none`.",
  },
  iso_target_path: {
    type: "string",
    description:
      "The path that the file is downloaded to; the cache unless given.",
  },
  iso_target_extension: {
    type: "string",
    description:
      "The extension of the file in the cache; the URL's unless given.",
  },
} as const satisfies Options;

/** What a builder gets of {@linkcode isoOptions}. */
export type IsoConfig = ConfigOf<typeof isoOptions>;

/**
 * The URLs of the medium.
 *
 * @param config The configuration.
 * @returns `iso_url` or `iso_urls`; empty where neither is given.
 */
export function isoUrls({ iso_url, iso_urls }: IsoConfig): readonly string[] {
  return iso_url ? [iso_url] : iso_urls ?? [];
}

/**
 * Checks what one option alone cannot tell.
 *
 * @param config The configuration.
 * @param isRequired Whether the machine needs a medium.
 * @returns Every problem, with its path, and warnings.
 */
export function isoProblems(
  config: IsoConfig,
  isRequired = true,
): { problems: ConfigProblem[]; warnings: string[] } {
  const problems: ConfigProblem[] = [];
  const warnings: string[] = [];
  const { iso_url, iso_urls, iso_checksum } = config;
  if (iso_url && iso_urls?.length) {
    problems.push({
      path: ["iso_urls"],
      message: "iso_url and iso_urls cannot be given together",
    });
  }
  if (isoUrls(config).length === 0) {
    if (isRequired) {
      problems.push({
        path: ["iso_url"],
        message: "one of iso_url and iso_urls must be given",
      });
    }
  } else if (!iso_checksum) {
    problems.push({
      path: ["iso_checksum"],
      message: 'iso_checksum must be given; "none" checks nothing',
    });
  } else if (iso_checksum === "none") {
    warnings.push(
      "A checksum of 'none' was specified: a damaged download is not noticed.",
    );
  } else if (!iso_checksum.startsWith("file:")) {
    try {
      parseChecksum(iso_checksum);
    } catch (error) {
      problems.push({
        path: ["iso_checksum"],
        message: (error as Error).message,
      });
    }
  }
  return { problems, warnings };
}

/** What {@linkcode downloadStep} adds to the state of a run. */
export interface IsoState {
  /** The path of the medium. */
  image?: string;
}

/**
 * The step that downloads the medium into the cache, or uses a local file
 * where it is.
 *
 * @param config The configuration.
 * @param workingDirectory The directory of relative paths.
 */
export function downloadStep(
  config: IsoConfig,
  workingDirectory: string,
): Step<IsoState> {
  return {
    name: "StepDownload",
    run: async (state, { ui, signal }) => {
      const urls = isoUrls(config);
      if (urls.length === 0) return;
      await ui.say("Retrieving ISO");
      await ui.message(urls.join("\n"));
      state.image = await download({
        urls: urls.map((url) =>
          /^[a-z][a-z0-9+.-]*:\/\//i.test(url) || url.startsWith("~/")
            ? url
            : resolve(workingDirectory, url)
        ),
        checksum: config.iso_checksum!,
        cache: cacheDirectory(),
        target: config.iso_target_path
          ? resolve(workingDirectory, config.iso_target_path)
          : undefined,
        extension: config.iso_target_extension,
        ui,
        signal,
      });
    },
  };
}
