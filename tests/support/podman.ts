// Containers for tests: podman as `docker`, with images and containers of the test's own, and the docker plugins.

import { join } from "@std/path";
import { compile } from "../../tools/compile.ts";
import { copyExecutable } from "./executable_file.ts";
import type { Workspace } from "./harness.ts";

/** The reason why a program is not there; undefined when it is. */
export function missingProgram(name: string): string | undefined {
  for (const directory of (Deno.env.get("PATH") ?? "").split(":")) {
    try {
      if (Deno.statSync(join(directory, name)).isFile) return undefined;
    } catch {
      // Not in this directory.
    }
  }
  return `${name} is not installed`;
}

/**
 * Makes a directory with a `docker` that is podman, whose images and containers are the test's own, and an image
 * `localhost/base` of busybox.
 *
 * @param bench The test's baler.
 * @returns The PATH on which `docker` is.
 */
export async function podmanAsDocker(bench: Workspace): Promise<string> {
  const directory = bench.at("podman");
  await bench.write(
    "podman/containers.conf",
    `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
`,
  );
  // Registries of this machine speak plain HTTP, as docker takes for granted.
  await bench.write(
    "podman/registries.conf",
    `[[registry]]
location = "127.0.0.1"
insecure = true
`,
  );
  await bench.write(
    "podman/bin/docker",
    `#!/bin/sh
export CONTAINERS_CONF=${directory}/containers.conf
export CONTAINERS_REGISTRIES_CONF=${directory}/registries.conf TMPDIR=${directory}/tmp
mkdir -p "$TMPDIR"
exec podman --root ${directory}/root --runroot ${directory}/run --tmpdir ${directory}/tmp --storage-driver vfs "$@"
`,
    { mode: 0o755 },
  );
  const path = `${directory}/bin:${bench.env.PATH}`;
  const { success, stderr } = await new Deno.Command("sh", {
    args: ["-e", "-c", IMAGE, "sh", join(directory, "rootfs")],
    env: { ...bench.env, PATH: path },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return path;
}

/** Imports an image of busybox, with the libraries that it may need, from a root file system made in $1. */
const IMAGE = `
mkdir -p "$1/bin" "$1/tmp" "$1/etc"
chmod 1777 "$1/tmp"
busybox=$(command -v busybox)
cp "$busybox" "$1/bin/busybox"
for library in $(ldd "$busybox" 2>/dev/null | grep -o '/[^ ]*'); do
  mkdir -p "$1$(dirname "$library")"
  cp "$library" "$1$library"
done
for name in sh ls cat chmod chown mkdir mv cp rm sleep tar echo env id ps setsid sha256sum stat test wc; do
  ln -s busybox "$1/bin/$name"
done
printf 'root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/:/bin/sh\n' > "$1/etc/passwd"
echo 'root:x:0:' > "$1/etc/group"
tar -C "$1" -c . | docker import - localhost/base:latest
`;

/** Why podman cannot be used as docker here. */
export const missingPodman: string | undefined = missingProgram("podman") ??
  missingProgram("runc") ?? (missingProgram("busybox"));

/** The components of the docker plugins, with the directory of each below plugin/. */
const COMPONENTS = {
  "builder-docker": "builders/docker",
  "post-processor-docker-import": "post_processors/docker_import",
  "post-processor-docker-push": "post_processors/docker_push",
  "post-processor-docker-save": "post_processors/docker_save",
  "post-processor-docker-tag": "post_processors/docker_tag",
} as const;

let compiled: Promise<string> | undefined;

/** A directory with the compiled docker plugins, and nothing else that would be found. */
function compiledPlugins(): Promise<string> {
  compiled ??= (async () => {
    const made = await compile(Object.keys(COMPONENTS), { say: () => {} });
    const directory = await Deno.makeTempDir({ prefix: "baler-test-docker-" });
    globalThis.addEventListener(
      "unload",
      () => Deno.removeSync(directory, { recursive: true }),
    );
    for (const { path } of made) {
      await copyExecutable(path, join(directory, path.split("/").pop()!));
    }
    return directory;
  })();
  return compiled;
}

/** How a test's baler finds podman and the docker plugins. */
export interface DockerBench {
  /** Variables for every run. */
  readonly env: Record<string, string>;
  /** The template's `plugins`: from their sources, for a baler from its sources. */
  readonly plugins: Record<string, Record<string, string[]>>;
  /**
   * Runs podman on the test's own images and containers.
   *
   * @returns What it wrote to stdout, without the white space around it.
   * @throws {Error} When it fails.
   */
  docker(...args: string[]): Promise<string>;
}

/**
 * Prepares a test's baler for docker, with an image `localhost/base` of busybox.
 *
 * @param bench The test's baler.
 */
export async function dockerBench(bench: Workspace): Promise<DockerBench> {
  const env: Record<string, string> = { PATH: await podmanAsDocker(bench) };
  const plugins: Record<string, Record<string, string[]>> = {};
  if (bench.kind === "compiled") {
    env.BALER_PLUGIN_PATH = await compiledPlugins();
  } else {
    for (const [name, directory] of Object.entries(COMPONENTS)) {
      const [, kind, component] = /^(builder|post-processor)-(.+)$/.exec(name)!;
      (plugins[`${kind}s`] ??= {})[component!] = [
        Deno.execPath(),
        "run",
        "--quiet",
        "--no-prompt",
        "--allow-all",
        join(import.meta.dirname!, "..", "..", "plugin", directory, "main.ts"),
      ];
    }
  }
  return {
    env,
    plugins,
    async docker(...args) {
      const { success, stdout, stderr } = await new Deno.Command("docker", {
        args,
        env: { ...bench.env, PATH: env.PATH! },
      }).output();
      const decoder = new TextDecoder();
      if (!success) throw new Error(decoder.decode(stderr));
      return decoder.decode(stdout).trim();
    },
  };
}
