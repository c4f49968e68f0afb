// Builds the Go peers of peers.ts into the user's cache: all of them, or those named as arguments. What is
// there already is not built again. Exit code 1 when one could not be built.

import { basename, dirname, join } from "@std/path";
import { buildFlags, executablePath, type PeerName, PEERS } from "./peers.ts";

/**
 * Builds one peer, unless it is in the cache.
 *
 * @param name The peer's directory below tests/peers.
 * @returns The path of its executable.
 * @throws {Error} When `go` is not installed, or the build failed.
 */
export async function buildPeer(name: PeerName): Promise<string> {
  const path = await executablePath(name);
  if (await exists(path)) return path;
  await Deno.mkdir(dirname(path), { recursive: true });
  // The file appears whole under its name, also when two builds run at once.
  const output = join(dirname(path), `.${basename(path)}-${Deno.pid}`);
  try {
    const { success } = await new Deno.Command("go", {
      args: ["build", ...buildFlags(name), "-o", output, PEERS[name].package],
      cwd: join(import.meta.dirname!, name),
      // go.sum is complete: a build that would change it has other sources than those that were reviewed.
      env: { GOFLAGS: "-mod=readonly", GOWORK: "off" },
      stdout: "inherit",
      stderr: "inherit",
    }).output();
    if (!success) throw new Error(`go build of ${name} failed`);
    await Deno.rename(output, path);
  } finally {
    await Deno.remove(output).catch(() => {});
  }
  return path;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  const names = Deno.args.length > 0 ? Deno.args : Object.keys(PEERS);
  for (const name of names) {
    if (!Object.hasOwn(PEERS, name)) {
      console.error(
        `there is no peer "${name}"; known are: ${
          Object.keys(PEERS).join(", ")
        }`,
      );
      Deno.exit(2);
    }
    try {
      console.error(await buildPeer(name as PeerName));
    } catch (error) {
      console.error((error as Error).message);
      Deno.exitCode = 1;
    }
  }
}
