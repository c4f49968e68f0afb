// The checks of a configuration that one option alone cannot make.

import { resolve } from "@std/path";
import {
  bootCommandProblems,
  httpProblems,
  isoProblems,
  outputDirectoryProblems,
  portRangeProblems,
  sshProblems,
} from "../../builder/mod.ts";
import type { ConfigProblem } from "../../contract/config_error.ts";
import { render } from "../../sdk/render.ts";
import { parseBootSteps } from "./boot_steps.ts";
import { bytesOf, parseQemuImgArgs } from "./disks.ts";
import { parseQemuArgs } from "./qemu_command.ts";
import type { QemuConfig } from "./qemu_options.ts";
import type { QemuRun } from "./run.ts";
import { templateFields } from "./template_fields.ts";

/** The longest password of VNC, in characters. */
const MAX_VNC_PASSWORD_CHARS = 8;

/** QEMU counts VNC's displays from this port on. */
const FIRST_VNC_PORT = 5900;

/** Renders a text with what the templates may refer to, whatever its values are. */
type Render = (text: string) => Promise<string>;

/**
 * Checks a configuration; starts and downloads nothing.
 *
 * @param run The run that it is for.
 * @returns Every problem, with its path, and warnings.
 */
export async function checkConfig(
  { config, build, directory, name }: QemuRun,
): Promise<{ problems: ConfigProblem[]; warnings: string[] }> {
  const iso = isoProblems(
    config.iso_skip_cache ? { ...config, iso_checksum: "none" } : config,
    !config.kernel,
  );
  const usesSsh = config.communicator === "ssh";
  const fields = templateFields({ name, directory, config });
  const fill: Render = (text) => render(text, build, { fields });
  const problems: ConfigProblem[] = [
    ...iso.problems,
    ...combinationProblems(config),
    ...diskProblems(config),
    ...httpProblems(config),
    ...portRangeProblems(config, "host_port_min", "host_port_max"),
    ...portRangeProblems(
      config,
      "vnc_port_min",
      "vnc_port_max",
      FIRST_VNC_PORT,
    ),
    ...await outputDirectoryProblems({ directory, force: build.force }),
    ...await bootProblems(config, fill),
    ...await templateProblems(config, fill),
    ...await fileProblems(config, build.workingDirectory),
    ...usesSsh ? await sshProblems(config) : [],
  ];
  const warnings = config.iso_skip_cache ? [] : iso.warnings;
  if (usesSsh && !config.shutdown_command && !config.disable_shutdown) {
    warnings.push(
      "A shutdown_command was not specified. The machine is halted as if its power was cut, which can damage its file system.",
    );
  }
  if (config.memory < 10) {
    warnings.push(`memory is ${config.memory} MiB; the machine gets 512.`);
  }
  return { problems, warnings };
}

function combinationProblems(config: QemuConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const problem = (key: keyof QemuConfig & string, message: string) =>
    void problems.push({ path: [key], message });
  if (
    config.use_backing_file &&
    !(config.disk_image && config.format === "qcow2")
  ) {
    problem(
      "use_backing_file",
      "use_backing_file needs disk_image and the format qcow2",
    );
  }
  if (config.skip_resize_disk && !config.disk_image) {
    problem("skip_resize_disk", "skip_resize_disk needs disk_image");
  }
  if (config.iso_skip_cache && config.disk_image) {
    problem("iso_skip_cache", "a disk image cannot be read from its URL");
  }
  if (!config.kernel) {
    for (const key of ["initrd", "kernel_args"] as const) {
      if (config[key]) problem(key, `${key} needs kernel`);
    }
  }
  for (const key of ["cpus", "sockets", "cores", "threads"] as const) {
    const count = config[key];
    if (count !== undefined && !(Number.isInteger(count) && count >= 0)) {
      problem(key, `${key} must be a whole number, and not negative`);
    }
  }
  if (!Number.isInteger(config.memory) || config.memory < 0) {
    problem("memory", "memory must be a whole number of MiB");
  }
  if (config.net_bridge && Deno.build.os !== "linux") {
    problem("net_bridge", "net_bridge needs Linux");
  }
  if ((config.vnc_password?.length ?? 0) > MAX_VNC_PASSWORD_CHARS) {
    problem(
      "vnc_password",
      `the password of VNC has at most ${MAX_VNC_PASSWORD_CHARS} characters`,
    );
  }
  if (config.boot_command?.length && config.boot_steps) {
    problem(
      "boot_steps",
      "boot_command and boot_steps cannot be given together",
    );
  }
  return problems;
}

function diskProblems(config: QemuConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const attempt = (path: (string | number)[], check: () => unknown) => {
    try {
      check();
    } catch (error) {
      problems.push({ path, message: (error as Error).message });
    }
  };
  attempt(["disk_size"], () => bytesOf(config.disk_size));
  for (const [index, size] of (config.disk_additional_size ?? []).entries()) {
    attempt(["disk_additional_size", index], () => bytesOf(size));
  }
  attempt(["qemu_img_args"], () => parseQemuImgArgs(config.qemu_img_args));
  return problems;
}

async function bootProblems(
  config: QemuConfig,
  fill: Render,
): Promise<ConfigProblem[]> {
  try {
    return await bootCommandProblems(
      [
        ...(config.boot_command ?? []).map((text, index) => ({
          path: ["boot_command", index],
          text,
        })),
        ...parseBootSteps(config.boot_steps).map(({ command }, index) => ({
          path: ["boot_steps", index, 0],
          text: command,
        })),
      ],
      fill,
    );
  } catch (error) {
    return [{ path: ["boot_steps"], message: (error as Error).message }];
  }
}

/** The templates of the options that the builder fills in by itself. */
async function templateProblems(
  config: QemuConfig,
  fill: Render,
): Promise<ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  const texts: { path: (string | number)[]; text: string }[] = [
    { path: ["kernel_args"], text: config.kernel_args },
    ...Object.entries(config.cd_content ?? {}).map(([name, text]) => ({
      path: ["cd_content", name],
      text,
    })),
  ];
  try {
    for (const [at, parts] of parseQemuArgs(config.qemuargs).entries()) {
      for (const [index, text] of parts.entries()) {
        texts.push({ path: ["qemuargs", at, index], text });
      }
    }
  } catch (error) {
    problems.push({ path: ["qemuargs"], message: (error as Error).message });
  }
  for (const { path, text } of texts) {
    try {
      await fill(text);
    } catch (error) {
      problems.push({ path, message: (error as Error).message });
    }
  }
  return problems;
}

/** Files of this machine that the template names. */
async function fileProblems(
  { kernel, initrd, cd_files, http_directory }: QemuConfig,
  workingDirectory: string,
): Promise<ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  const files: { path: (string | number)[]; file: string | undefined }[] = [
    { path: ["kernel"], file: kernel },
    { path: ["initrd"], file: initrd },
    { path: ["http_directory"], file: http_directory },
    ...(cd_files ?? []).map((file, index) => ({
      path: ["cd_files", index],
      // A pattern may match files that are made later.
      file: /[*?[]/.test(file) ? undefined : file,
    })),
  ];
  for (const { path, file } of files) {
    if (!file) continue;
    try {
      await Deno.stat(resolve(workingDirectory, file));
    } catch (error) {
      problems.push({
        path,
        message: error instanceof Deno.errors.NotFound
          ? `${file} does not exist`
          : `cannot read ${file}: ${(error as Error).message}`,
      });
    }
  }
  return problems;
}
