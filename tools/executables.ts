// What can be compiled, under which name, and the least permissions that each one needs.

import { join } from "@std/path";
import { permissionFlags, type Permissions } from "./permissions.ts";

/** A program that `compile()` makes an executable of. */
export interface Executable {
  /** The file name of what is made, without `.exe`. */
  readonly name: string;
  /** Absolute path of the module that is its main. */
  readonly entry: string;
  /** The flags of `deno compile` that grant its permissions. */
  readonly flags: readonly string[];
  /** The folder that it is put in, where that is not `dist`. */
  readonly out?: string;
}

const root = join(import.meta.dirname!, "..");

// The host launches plugins (run, and read to find them; env, which cross-spawn and the templates'
// user variables read), reads templates, writes logs, caches and what bundled plugins make, and
// asks the system who and where it is (sys) for template functions. Where much goes through, it has
// the C library widen pipes and move what is in them (ffi), which no list can name: the library has
// no path. It never opens a socket.
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

const files: Permissions = { read: true, write: true };
const filesAndCommands: Permissions = { read: true, write: true, run: true };

// Paths and commands come from a template, so none of these can be narrowed to a list.
const bundled: Readonly<Record<string, Permissions>> = {
  // Its communicator "local" copies files and runs commands; it tells provisioners the run's name.
  "builder-null": { ...filesAndCommands, env: ["PACKER_RUN_UUID"] },
  // Reads `source`, writes `target`.
  "builder-file": files,
  // Reads the scripts, writes the inline ones to a temporary file; commands run in the communicator.
  "provisioner-shell": files,
  "provisioner-powershell": files,
  "provisioner-windows-shell": files,
  // Only runs commands in the communicator.
  "provisioner-windows-restart": {},
  "provisioner-shell-local": filesAndCommands,
  // Uploads from here, downloads to here.
  "provisioner-file": files,
  // Only asks, and the host's ui does that.
  "provisioner-breakpoint": {},
  "provisioner-sleep": {},
  // Notes the name that the host gave its run.
  "post-processor-manifest": { ...files, env: ["PACKER_RUN_UUID"] },
  "post-processor-checksum": files,
  "post-processor-compress": files,
  // Looks for the files that it is told to name, and deletes them with the artifact.
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
 * All that the repository can make: `baler`, `builder-file` and the other bundled plugins, and
 * the examples by their folders' names. The order is the one in which `--all` makes them.
 *
 * @throws {TypeError} when an example's deno.json has no usable `"compile": {"permissions": {…}}`.
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
  for (const name of await exampleNames()) {
    known.set(
      name,
      await pluginExecutable(join(root, "examples", name), name),
    );
  }
  return known;
}

/**
 * The executable that a plugin's own folder describes: `main.ts`, compiled with the permissions
 * in `deno.json`'s `"compile": {"permissions": {…}}`.
 *
 * Deno 2.5 and newer read that key themselves under `deno compile -P`; here it is read for them
 * all, so that one file says it once.
 *
 * @param folder absolute path of the folder.
 * @param name of the executable.
 * @throws {TypeError} when deno.json cannot be read or has no usable permissions.
 */
export async function pluginExecutable(
  folder: string,
  name: string,
): Promise<Executable> {
  const path = join(folder, "deno.json");
  let config: { compile?: { permissions?: unknown } } | null;
  try {
    config = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new TypeError(
      error instanceof Deno.errors.NotFound
        ? `there is no plugin in ${folder}: it has no deno.json`
        : `${path}: cannot be read as JSON: ${(error as Error).message}`,
      { cause: error },
    );
  }
  const permissions = config?.compile?.permissions;
  if (permissions === undefined) {
    throw new TypeError(
      `${path}: add "compile": {"permissions": {…}} with what the plugin may do, {} for nothing`,
    );
  }
  return {
    name,
    entry: join(folder, "main.ts"),
    flags: permissionFlags(permissions, path),
  };
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

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
