// Runs a script on the machine that is being built: the script is uploaded, run
// and removed.

import type { BuildContext } from "../../contract/build_context.ts";
import type { Communicator, Upload } from "../../contract/communicator.ts";
import type { Ui } from "../../contract/ui.ts";
import type { ConfigOf } from "../../contract/options.ts";
import { render } from "../../sdk/render.ts";
import { osError } from "../../files/os_error.ts";
import { checkExitStatus } from "./exit_codes.ts";
import { normalizeLineEndings } from "./line_endings.ts";
import { DISCONNECTED, runRemoteCommand } from "./remote_command.ts";
import { shellPath, withPaths } from "./quote.ts";
import { retry } from "./retry.ts";
import type { shellOptions } from "./shell_options.ts";

const COMMAND = "chmod +x {{.Path}}; {{.Vars}} {{.Path}}";
const COMMAND_WITH_FILE = "chmod +x {{.Path}}; . {{.EnvVarFile}} && {{.Path}}";

/** The longest script that is read before it is uploaded, in bytes. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** What is uploaded. */
interface Content {
  /** The bytes. */
  source: Upload["source"];
  /** Their number, where it is known. */
  size?: number;
}

/** What a {@linkcode RemoteScript} works with. */
export interface RemoteScriptOptions {
  /** Where the script's output is shown. */
  ui: Ui;
  /** Reaches the machine. */
  communicator: Communicator;
  /** What the builder published. */
  data: Record<string, unknown>;
  /** The environment variables, in their format. */
  vars: string;
  /** Ends the script when aborted. */
  signal: AbortSignal;
}

/** Runs scripts on the machine, one after the other. */
export class RemoteScript {
  readonly #config: ConfigOf<typeof shellOptions>;
  readonly #build: BuildContext;
  readonly #options: RemoteScriptOptions;
  readonly #path: string;
  /** True for a path that the template names, where something may be already. */
  readonly #isPathGiven: boolean;
  readonly #uploaded = new Set<string>();
  #envVarFile = "";

  /**
   * Decides where on the machine scripts go.
   *
   * @param config The provisioner's configuration.
   * @param build The build.
   * @param options What to work with.
   */
  constructor(
    config: ConfigOf<typeof shellOptions>,
    build: BuildContext,
    options: RemoteScriptOptions,
  ) {
    this.#config = config;
    this.#build = build;
    this.#options = options;
    this.#isPathGiven = Boolean(config.remote_path || config.remote_file);
    this.#path = config.remote_path ||
      `${config.remote_folder}/${config.remote_file || unguessable("script")}`;
  }

  /**
   * Runs a script.
   *
   * @param script The path of the script on this machine.
   * @throws {Error} When it cannot be run, or fails; the signal's reason when it is aborted.
   */
  async run(script: string): Promise<void> {
    const { execute_command, use_env_var_file } = this.#config;
    const { data, vars } = this.#options;
    if (use_env_var_file && this.#envVarFile === "") await this.#writeEnvVars();
    const template = execute_command ||
      (use_env_var_file ? COMMAND_WITH_FILE : COMMAND);
    const command = await withPaths(
      { Path: this.#path, EnvVarFile: this.#envVarFile },
      (paths) =>
        render(template, this.#build, {
          fields: { ...data, ...paths, Vars: vars },
          generated: data,
        }),
    );
    // The retry includes the upload: a machine that restarts in between may lose
    // the files in its temporary directory.
    const status = await this.#retry(async () => {
      const file = await Deno.open(script).catch((error) => {
        throw osError("Error opening shell script: open", script, error);
      });
      const content = this.#config.binary
        ? file.readable
        : file.readable.pipeThrough(normalizeLineEndings());
      await this.#upload(this.#path, await sized(content), "script", 0o700);
      return await this.#command(command, { isShown: true });
    });
    this.#check(status);
    await this.clean(this.#path);
  }

  /**
   * Removes uploaded files, unless the configuration has `skip_clean`.
   *
   * @param path One uploaded file. By default all remaining files are removed, and a
   * failure is ignored.
   * @throws {Error} When the one file cannot be removed.
   */
  async clean(path?: string): Promise<void> {
    if (this.#config.skip_clean) return;
    if (path === undefined) {
      // The machine may not exist any more, and the error of the script is more important.
      for (const left of this.#uploaded) {
        await this.#command(`rm -f ${shellPath(left)}`, { isAbortable: false })
          .catch(() => {});
      }
      return;
    }
    await this.#retry(() => this.#remove(path));
    this.#uploaded.delete(path);
  }

  async #remove(path: string): Promise<void> {
    const status = await this.#command(`rm -f ${shellPath(path)}`);
    if (status === 0) return;
    throw new Error(
      status === DISCONNECTED
        ? "Disconnect while removing temporary script."
        : `Error removing temporary script at ${path}!`,
    );
  }

  #check(status: number): void {
    const { expect_disconnect, valid_exit_codes } = this.#config;
    if (status !== DISCONNECTED) {
      return checkExitStatus(status, valid_exit_codes);
    }
    if (expect_disconnect) return;
    if (valid_exit_codes?.includes(String(DISCONNECTED))) return;
    throw new Error(
      "Script disconnected unexpectedly. If you expected your script to disconnect, " +
        'i.e. from a restart, you can try adding `"expect_disconnect": true` or ' +
        '`"valid_exit_codes": [0, 2300218]` to the shell provisioner parameters.',
    );
  }

  async #writeEnvVars(): Promise<void> {
    const path = `${this.#config.remote_folder}/${unguessable("varfile")}`;
    const bytes = new TextEncoder().encode(this.#options.vars);
    await this.#retry(() =>
      this.#upload(
        path,
        { source: ReadableStream.from([bytes]), size: bytes.length },
        "envVarFile",
        0o600,
      )
    );
    this.#envVarFile = path;
  }

  async #upload(
    path: string,
    content: Content,
    what: string,
    mode: number,
  ): Promise<void> {
    const { communicator, signal } = this.#options;
    const { source } = content;
    try {
      // An upload is exclusive: an existing file must be removed first, whether an
      // earlier script or another user created it.
      if (this.#uploaded.has(path) || this.#isPathGiven) {
        await this.#remove(path);
      }
      this.#uploaded.add(path);
      await communicator.upload({
        path,
        ...content,
        mode,
        exclusive: true,
        temporary: !this.#config.skip_clean,
        signal,
      });
    } catch (cause) {
      signal.throwIfAborted();
      throw new Error(
        `Error uploading ${what}: ${(cause as Error).message}`,
        { cause },
      );
    } finally {
      // Closes the script if the upload never read it.
      await source.cancel().catch(() => {});
    }
    // A communicator need not be able to set modes.
    const octal = mode.toString(8).padStart(4, "0");
    await this.#command(`chmod ${octal} ${shellPath(path)}`);
  }

  #command(
    command: string,
    { isShown = false, isAbortable = true } = {},
  ): Promise<number> {
    const { communicator, ui, signal } = this.#options;
    return runRemoteCommand({
      command,
      communicator,
      ...(isShown ? { ui } : {}),
      ...(isAbortable ? { signal } : {}),
    });
  }

  #retry<T>(work: () => Promise<T>): Promise<T> {
    const { signal, ui } = this.#options;
    const timeoutMs = this.#config.start_retry_timeout || 5 * 60_000;
    return retry(work, { timeoutMs, signal, ui });
  }
}

/**
 * Returns a script with its size, unless it is long: with the size, a communicator
 * can check in the same command that the upload is complete.
 */
async function sized(content: ReadableStream<Uint8Array>): Promise<Content> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = content.getReader();
  while (size <= MAX_BUFFERED_BYTES) {
    const { done, value } = await reader.read();
    if (done) return { source: ReadableStream.from(chunks), size };
    chunks.push(value);
    size += value.length;
  }
  return {
    source: new ReadableStream({
      async pull(controller) {
        const chunk = chunks.shift() ?? (await reader.read()).value;
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: (reason) => reader.cancel(reason),
    }),
  };
}

/** Returns an unpredictable file name. */
function unguessable(name: string): string {
  return `${name}_${crypto.randomUUID()}.sh`;
}
