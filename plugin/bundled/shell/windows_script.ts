// The scripts of the provisioners powershell and windows-shell: where they come from on this machine, and
// their way to the machine that is being built.

import type { BuildContext } from "../../contract/build_context.ts";
import type { Communicator } from "../../contract/communicator.ts";
import { render } from "../../sdk/render.ts";
import { osError } from "../../files/os_error.ts";
import { inlineScript, type ScriptSource } from "./script_options.ts";
import { TemporaryFile } from "./temporary_file.ts";

/** What {@linkcode eachScript} goes through. */
export interface EachScriptOptions extends ScriptSource {
  /** The build that renders inline lines. */
  build: BuildContext;
  /** What the builder published. */
  data: Record<string, unknown>;
  /** Removes the temporary file early when aborted. */
  signal: AbortSignal;
}

/**
 * Calls a function with each script, in order. Inline lines are written to a temporary file, which is deleted
 * afterwards.
 *
 * @param source Where the scripts come from.
 * @param name The provisioner's name, for the temporary file's name.
 * @param run Is called with the path of a script, as the template has it.
 */
export async function eachScript(
  { inline = [], script, scripts = [], build, data, signal }: EachScriptOptions,
  name: string,
  run: (script: string) => Promise<void>,
): Promise<void> {
  const paths = script ? [script] : scripts;
  for (const path of paths) await run(path);
  if (paths.length > 0) return;
  const lines = await Promise.all(
    inline.map((line) =>
      render(line, build, { fields: data, generated: data })
    ),
  );
  await using file = await TemporaryFile.create(inlineScript("", lines), {
    prefix: `${name}-provisioner`,
    signal,
  });
  await run(file.path);
}

/** What {@linkcode uploadScript} uploads, and how. */
export interface UploadScriptOptions {
  /** The machine. */
  communicator: Communicator;
  /** The script's absolute path on this machine. */
  path: string;
  /** The path on the other machine. */
  to: string;
  /** True when the file's mode and size are sent with it. */
  withFileInfo?: boolean;
  /** Stops the upload when aborted. */
  signal: AbortSignal;
}

/**
 * Uploads a script.
 *
 * @param options The script, and where it goes.
 * @throws {Error} When it cannot be read here or written there.
 */
export async function uploadScript(
  { communicator, path, to, withFileInfo = false, signal }: UploadScriptOptions,
): Promise<void> {
  const file = await Deno.open(path).catch((error) => {
    throw osError("Error opening script: open", path, error);
  });
  const source = file.readable;
  try {
    const info = withFileInfo ? await Deno.stat(path) : undefined;
    await communicator.upload({
      path: to,
      source,
      signal,
      ...(info === undefined ? {} : { size: info.size }),
      ...(typeof info?.mode === "number" ? { mode: info.mode & 0o777 } : {}),
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(`Error uploading script: ${(cause as Error).message}`, {
      cause,
    });
  } finally {
    // Closes the file when the upload ended before the stream was read.
    await source.cancel().catch(() => {});
  }
}

/**
 * Uploads a text.
 *
 * @param communicator The machine.
 * @param path The path on it.
 * @param text The content of the file.
 * @param signal Stops the upload when aborted.
 */
export async function uploadText(
  communicator: Communicator,
  path: string,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  const source = ReadableStream.from([new TextEncoder().encode(text)]);
  try {
    await communicator.upload({ path, source, signal });
  } finally {
    await source.cancel().catch(() => {});
  }
}
