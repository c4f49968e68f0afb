// A small root file system for tests: busybox, with the libraries that it needs, as a tar archive.

import { dirname, fromFileUrl, join } from "@std/path";
import { compile } from "../../tools/compile.ts";
import type { HostKind } from "./harness.ts";
import { run } from "./sshd.ts";

/** The commands that the shell in it has. */
const APPLETS =
  "basename cat chmod chown cp dirname env grep hostname id ip kill ln ls mkdir mount mv ps rm rmdir setsid sh sleep stat tar touch true wc"
    .split(" ");

/** The owner and group of `/home/user` in it. */
export const HOME_OWNER = { uid: 33, gid: 42 } as const;

/** Why no namespaces can be made here, or undefined where they can. */
export const noNamespaces: string | undefined = await (async () => {
  if (Deno.build.os !== "linux") return "needs Linux";
  for (const program of ["unshare", "nsenter", "busybox", "tar"]) {
    if (!await succeeds("sh", "-c", `command -v ${program}`)) {
      return `${program} is not installed`;
    }
  }
  return await succeeds(
      "unshare",
      ...["--user", "--map-root-user", "--mount", "--pid", "--fork", "true"],
    )
    ? undefined
    : "user namespaces cannot be made";
})();

/** Whether a command exits with 0. */
export async function succeeds(
  program: string,
  ...args: string[]
): Promise<boolean> {
  return await run(program, ...args).then(() => true, () => false);
}

/**
 * Makes the archive.
 *
 * @param path Where it is written.
 */
export async function writeRootArchive(path: string): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "baler-root-" });
  try {
    await Deno.chmod(root, 0o755);
    for (const name of ["bin", "etc", "root", "home/user", "usr/share/doc"]) {
      await Deno.mkdir(join(root, name), { recursive: true });
    }
    const busybox = (await run("sh", "-c", "command -v busybox")).trim();
    await Deno.copyFile(busybox, join(root, "bin/busybox"));
    for (const name of APPLETS) {
      await Deno.symlink("busybox", join(root, "bin", name));
    }
    // A static one has no libraries, and ldd fails.
    const libraries = await run("ldd", busybox).catch(() => "");
    for (const [library] of libraries.matchAll(/\/\S+\.so\S*/g)) {
      await Deno.mkdir(join(root, dirname(library)), { recursive: true });
      await Deno.copyFile(library, join(root, library));
    }
    const write = (name: string, text: string) =>
      Deno.writeTextFile(join(root, name), text);
    await write("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    await write("etc/group", "root:x:0:\n");
    await write("etc/kept", "kept\n");
    await write("etc/changed", "before\n");
    await write("etc/removed", "removed\n");
    await write("usr/share/doc/page", "a page\n");
    const { uid, gid } = HOME_OWNER;
    const common = ["--numeric-owner", "--mtime=@1600000000", "--sort=name"];
    const at = ["-C", root];
    await run(
      "tar",
      ...["-cf", path, "--owner=0", "--group=0", ...common, ...at],
      ...["--exclude=./home/user", "."],
    );
    await run(
      "tar",
      ...["-rf", path, `--owner=${uid}`, `--group=${gid}`, ...common, ...at],
      "./home/user",
    );
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const SOURCE_PLUGIN = [
  Deno.execPath(),
  ...["run", "--quiet", "--no-prompt", "--allow-all"],
  fromFileUrl(import.meta.resolve("../../plugin/builders/rootfs/main.ts")),
];

let compiled: Promise<string> | undefined;

/** The command that runs the rootfs builder's plugin in the way that the host is run. */
export async function rootfsPlugin(kind: HostKind): Promise<string[]> {
  if (kind === "source") return SOURCE_PLUGIN;
  compiled ??= compile(["builder-rootfs"], { say: () => {} })
    .then(([made]) => made!.path);
  return [await compiled];
}

/** Why a test that needs other programs is skipped; undefined where they are. */
export async function missing(
  ...programs: string[]
): Promise<string | undefined> {
  if (noNamespaces !== undefined) return noNamespaces;
  for (const program of programs) {
    if (!await succeeds("sh", "-c", `command -v ${program}`)) {
      return `${program} is not installed`;
    }
  }
  return undefined;
}
