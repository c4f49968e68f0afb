// The checks of the docker builder's configuration, beyond the types of its
// options.

import { resolve } from "@std/path";
import type { BuildContext } from "../../contract/build_context.ts";
import {
  ConfigError,
  type ConfigProblem,
} from "../../contract/config_error.ts";
import type { ConfigOf } from "../../contract/options.ts";
import { decodeConfig } from "../../sdk/decode_config.ts";
import { buildOptions, type DockerConfig } from "./docker_options.ts";
import { loginProblems } from "./registry_login.ts";

/** The decoded `build`. */
export type BuildConfig = ConfigOf<typeof buildOptions>;

/** What {@linkcode checkConfig} finds. */
export interface CheckedConfig {
  /** What is wrong. */
  problems: ConfigProblem[];
  /** What is odd. */
  warnings: string[];
  /** The decoded `build`, where it is given. */
  dockerfile?: BuildConfig;
}

/**
 * Checks a configuration.
 *
 * @param config The configuration.
 * @param build The build, whose directory relative paths start from.
 */
export async function checkConfig(
  config: DockerConfig,
  build: BuildContext,
): Promise<CheckedConfig> {
  const problems: ConfigProblem[] = loginProblems(config);
  const warnings: string[] = [];
  const problem = (key: keyof DockerConfig, message: string) =>
    void problems.push({ path: [key], message });
  let dockerfile: BuildConfig | undefined;
  if (config.build !== undefined) {
    try {
      dockerfile = await decodeBuild(config.build, build);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
    }
    if (config.image) {
      problem("image", "image and build cannot be given together");
    }
    if (config.pull) {
      warnings.push(
        "pull does nothing with build: build.pull, which is true by default, takes its place",
      );
    }
  } else if (!config.image) {
    problem("image", "Image must be specified: give image or build");
  }
  const uses = [config.commit, config.discard, config.export_path !== ""]
    .filter(Boolean).length;
  if (uses > 1) {
    problem(
      config.commit ? "commit" : "discard",
      "Cannot specify more than one of commit, discard, and export_path",
    );
  } else if (uses === 0) {
    problem(
      "commit",
      "No instructions given for handling the artifact; expected commit, discard, or export_path",
    );
  }
  if (config.export_path !== "") {
    const path = resolve(build.workingDirectory, config.export_path);
    if ((await statOf(path))?.isDirectory) {
      problem("export_path", "export_path must be a file, not a directory");
    }
  }
  if (config.windows_container) {
    problem(
      "windows_container",
      "Windows containers are not built by baler's docker builder; install Packer's docker plugin, which baler runs, and name it under plugins",
    );
  }
  if (config.run_command.length === 0) {
    problem("run_command", "run_command must have arguments");
  }
  return { problems, warnings, ...(dockerfile ? { dockerfile } : {}) };
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  return await Deno.stat(path).catch(() => undefined);
}

/** Decodes `build`, and checks that its file and directory are there. */
async function decodeBuild(
  value: unknown,
  build: BuildContext,
): Promise<BuildConfig> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigError([{
      path: ["build"],
      message: '"build" must be an object, such as {"path": "Dockerfile"}',
    }]);
  }
  let config: BuildConfig;
  try {
    config = await decodeConfig(
      value as Record<string, unknown>,
      buildOptions,
      build,
    );
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(
      error.problems.map((one) => ({ ...one, path: ["build", ...one.path] })),
    );
  }
  const problems: ConfigProblem[] = [];
  const { path, build_dir } = config;
  const { workingDirectory } = build;
  if (!(await statOf(resolve(workingDirectory, path)))?.isFile) {
    problems.push({
      path: ["build", "path"],
      message: `the Dockerfile ${path} is not a file that can be read`,
    });
  }
  if (!(await statOf(resolve(workingDirectory, build_dir)))?.isDirectory) {
    problems.push({
      path: ["build", "build_dir"],
      message: `build_dir ${build_dir} is not a directory`,
    });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}
