// The executables of this repository, and the fewest permissions that each one needs.

import { join } from "@std/path";
import { permissionFlags, type Permissions } from "./permissions.ts";
import { pluginExecutable } from "./plugin_config.ts";

/** A program that `compile()` makes an executable of. */
export interface Executable {
  /** The file name of the executable, without `.exe`. */
  readonly name: string;
  /** Absolute path of the main module. */
  readonly entry: string;
  /** The flags of `deno compile` that grant its permissions. */
  readonly flags: readonly string[];
  /** Absolute paths of files, directories and modules to embed beside the module graph. */
  readonly include?: readonly string[];
  /** Absolute paths below those of `include` to leave out. */
  readonly exclude?: readonly string[];
  /** The directory that it is written to; `dist` unless given. */
  readonly out?: string;
}

export { pluginExecutable };

const root = join(import.meta.dirname!, "..");

// The host launches plugins (run; read, to find them; env, for cross-spawn and user variables), reads
// templates, writes logs, and reads and writes the files of the bundled plugins. Template functions
// ask for the host's name and the like (sys). For large transfers it calls the C library to enlarge
// pipes and to splice between them (ffi); that library has no path that a list could name. The host
// opens no socket.
const host: Permissions = {
  read: true,
  write: true,
  run: true,
  env: true,
  sys: true,
  ffi: true,
};

// Runs any plugin of Packer's, which gets the whole environment, and connects to where it listens: a unix socket
// with a random path (read and write, too), or a port of this machine.
const packerAdapter: Permissions = {
  read: true,
  write: true,
  run: true,
  env: true,
  net: true,
};

// Runs docker, ssh and the AWS CLI, which get the whole environment; no sockets of its own. The library that packs
// directories asks for the user (sys).
const dockerPlugin: Permissions = {
  read: true,
  write: true,
  run: true,
  env: true,
  sys: true,
};

/** The post-processors with executables of their own, each in a directory of plugin/post_processors. */
const DOCKER_POST_PROCESSORS = [
  "docker-import",
  "docker-push",
  "docker-save",
  "docker-tag",
];

// Runs QEMU and ssh, serves and downloads files, and passes the environment on to what it runs. It asks for this
// machine's address on a bridge; the library that packs directories asks for the user.
const machineBuilder: Permissions = {
  read: true,
  write: true,
  run: true,
  env: true,
  sys: true,
  net: true,
};

// Runs programs in namespaces, itself among them, and makes system calls there. Only with all permissions does
// Deno open files below /dev, /proc and /sys, which the trees that it unpacks have, too.
const rootfsBuilder = ["--no-prompt", "--allow-all"];

const files: Permissions = { read: true, write: true };
const filesAndCommands: Permissions = { read: true, write: true, run: true };

// Paths and commands come from a template, so none of these can be narrowed to a list.
const bundled: Readonly<Record<string, Permissions>> = {
  // Its communicators copy files and run commands, ssh among them, which opens the sockets; it publishes the run's
  // UUID, expands "~" and looks for an ssh agent.
  "builder-null": {
    ...filesAndCommands,
    env: ["PACKER_RUN_UUID", "HOME", "SSH_AUTH_SOCK"],
  },
  // Reads `source`, writes `target`.
  "builder-file": files,
  // Reads scripts and writes inline ones to a temporary file; commands run in the communicator.
  "provisioner-shell": files,
  "provisioner-powershell": files,
  "provisioner-windows-shell": files,
  // Only runs commands in the communicator.
  "provisioner-windows-restart": {},
  "provisioner-shell-local": filesAndCommands,
  // Reads what it uploads, writes what it downloads.
  "provisioner-file": files,
  // Asks through the host's ui.
  "provisioner-breakpoint": {},
  "provisioner-sleep": {},
  // Records the run's UUID.
  "post-processor-manifest": { ...files, env: ["PACKER_RUN_UUID"] },
  "post-processor-checksum": files,
  "post-processor-compress": files,
  // Looks up the files of the artifact, and deletes them with it.
  "post-processor-artifice": files,
  "post-processor-shell-local": filesAndCommands,
};

/** "post-processor-shell-local" is in post_processors/shell_local.ts. */
function bundledModule(name: string): string {
  const [, kind, component] = /^(builder|provisioner|post-processor)-(.+)$/
    .exec(name)!;
  const directory = `${kind!.replaceAll("-", "_")}s`;
  return join(directory, `${component!.replaceAll("-", "_")}.ts`);
}

/**
 * Returns every executable of this repository: `baler`, the bundled plugins (`builder-file`, ...)
 * and the examples, by name, in the order in which `--all` compiles them.
 *
 * @throws {TypeError} When an example's deno.json is not valid.
 */
export async function knownExecutables(): Promise<Map<string, Executable>> {
  const known = new Map<string, Executable>();
  known.set("baler", {
    name: "baler",
    entry: join(root, "cli.ts"),
    flags: permissionFlags(host, "the host"),
  });
  known.set("packer", {
    name: "baler-packer",
    entry: join(root, "adapters", "packer", "main.ts"),
    flags: permissionFlags(packerAdapter, "the adapter of Packer's plugins"),
  });
  for (const [name, permissions] of Object.entries(bundled)) {
    known.set(name, {
      name: `baler-${name}`,
      entry: join(root, "plugin", "bundled", bundledModule(name)),
      flags: permissionFlags(permissions, name),
    });
  }
  known.set("builder-qemu", {
    name: "baler-builder-qemu",
    entry: join(root, "plugin", "builders", "qemu", "main.ts"),
    flags: permissionFlags(machineBuilder, "builder-qemu"),
  });
  known.set("builder-docker", {
    name: "baler-builder-docker",
    entry: join(root, "plugin", "builders", "docker", "main.ts"),
    flags: permissionFlags(dockerPlugin, "builder-docker"),
  });
  for (const name of DOCKER_POST_PROCESSORS) {
    const directory = name.replaceAll("-", "_");
    known.set(`post-processor-${name}`, {
      name: `baler-post-processor-${name}`,
      entry: join(root, "plugin", "post_processors", directory, "main.ts"),
      flags: permissionFlags(dockerPlugin, name),
    });
  }
  known.set("builder-rootfs", {
    name: "baler-builder-rootfs",
    entry: join(root, "plugin", "builders", "rootfs", "main.ts"),
    flags: rootfsBuilder,
  });
  for (const name of await exampleNames()) {
    known.set(
      name,
      await pluginExecutable(join(root, "examples", name), name),
    );
  }
  return known;
}

async function exampleNames(): Promise<string[]> {
  const found: string[] = [];
  for await (const item of Deno.readDir(join(root, "examples"))) {
    if (
      item.isDirectory &&
      await isFile(join(root, "examples", item.name, "main.ts"))
    ) found.push(item.name);
  }
  return found.sort();
}

/** Whether there is a file at a path. */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
