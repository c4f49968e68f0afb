// A remote script is a script's way on the machine that is being built: it is
// uploaded, run, and taken away again.

import type { BuildContext } from "../../contract/build_context.ts";
import type { Communicator } from "../../contract/communicator.ts";
import type { ConfigOf } from "../../contract/options.ts";
import { render } from "../../sdk/render.ts";
import type { Ui } from "../../contract/ui.ts";
import { checkExitStatus } from "./exit_codes.ts";
import { osError } from "../shared/os_error.ts";
import { DISCONNECTED, runRemoteCommand } from "./remote_command.ts";
import { retry } from "./retry.ts";
import type { shellOptions } from "./shell_options.ts";
import { normalizeLineEndings } from "./line_endings.ts";

/** What a {@linkcode RemoteScript} works with. */
export interface RemoteScriptOptions {
  /** Where the script's output shows. */
  ui: Ui;
  /** The way to the machine. */
  communicator: Communicator;
  /** What the builder published. */
  data: Record<string, unknown>;
  /** The variables, as they are to be written. */
  vars: string;
  /** Ends the script when aborted. */
  signal: AbortSignal;
}

/** Runs scripts on the machine, each in place of the one before. */
export class RemoteScript {
  readonly #config: ConfigOf<typeof shellOptions>;
  readonly #build: BuildContext;
  readonly #options: RemoteScriptOptions;
  readonly #path: string;
  readonly #uploaded = new Set<string>();
  #envVarFile = "";

  /**
   * Decides where on the machine scripts go.
   *
   * @param config The provisioner's configuration.
   * @param build The build that it is a part of.
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
    this.#path = config.remote_path ||
      `${config.remote_folder}/${config.remote_file || numbered("script")}`;
  }

  /**
   * Runs a script.
   *
   * @param script Where it is on this machine.
   * @throws {Error} When it cannot be run, or fails; the signal's reason when it is aborted.
   */
  async run(script: string): Promise<void> {
    const { execute_command, use_env_var_file } = this.#config;
    const { data, vars } = this.#options;
    if (use_env_var_file && this.#envVarFile === "") await this.#writeEnvVars();
    const usual = use_env_var_file
      ? "chmod +x {{.Path}}; . {{.EnvVarFile}} && {{.Path}}"
      : "chmod +x {{.Path}}; {{.Vars}} {{.Path}}";
    const command = await render(execute_command || usual, this.#build, {
      fields: {
        ...data,
        Vars: vars,
        EnvVarFile: this.#envVarFile,
        Path: this.#path,
      },
      generated: data,
    });
    // From the upload on, since a machine that restarts in between may forget
    // what it was sent.
    const status = await this.#retry(async () => {
      const file = await Deno.open(script).catch((error) => {
        throw osError("Error opening shell script: open", script, error);
      });
      await this.#upload(this.#path, file.readable, "script");
      await this.#command(`chmod 0755 ${this.#path}`);
      return await this.#command(command, { isShown: true });
    });
    this.#check(status);
    await this.clean(this.#path);
  }

  /**
   * Takes away what was uploaded, unless the configuration wants it to stay.
   *
   * @param path One file of it; all that is there when absent, with no error if that is not possible.
   * @throws {Error} When the one file cannot be taken away.
   */
  async clean(path?: string): Promise<void> {
    if (this.#config.skip_clean) return;
    if (path === undefined) {
      // The machine may be gone, and the error that ended it all says more.
      for (const left of this.#uploaded) {
        await this.#command(`rm -f ${left}`, { isAbortable: false })
          .catch(() => {});
      }
      return;
    }
    await this.#retry(async () => {
      const status = await this.#command(`rm -f ${path}`);
      if (status !== 0) {
        throw new Error(
          status === DISCONNECTED
            ? "Disconnect while removing temporary script."
            : `Error removing temporary script at ${path}!`,
        );
      }
    });
    this.#uploaded.delete(path);
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
    const path = `${this.#config.remote_folder}/${numbered("varfile")}`;
    await this.#retry(async () => {
      const content = ReadableStream.from([
        new TextEncoder().encode(this.#options.vars),
      ]);
      await this.#upload(path, content, "envVarFile", 0o600);
      await this.#command(`chmod 0600 ${path}`);
    });
    this.#envVarFile = path;
  }

  async #upload(
    path: string,
    content: ReadableStream<Uint8Array>,
    what: string,
    mode?: number,
  ): Promise<void> {
    const { communicator, signal } = this.#options;
    const source = this.#config.binary
      ? content
      : content.pipeThrough(normalizeLineEndings());
    this.#uploaded.add(path);
    try {
      await communicator.upload({
        path,
        source,
        signal,
        ...(mode === undefined ? {} : { mode }),
      });
    } catch (cause) {
      signal.throwIfAborted();
      throw new Error(
        `Error uploading ${what}: ${(cause as Error).message}`,
        { cause },
      );
    } finally {
      // Lets go of the script where the upload never came to reading it.
      await source.cancel().catch(() => {});
    }
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
    return retry(work, {
      timeout: this.#config.start_retry_timeout || 5 * 60_000,
      signal: this.#options.signal,
    });
  }
}

function numbered(name: string): string {
  return `${name}_${Math.floor(Math.random() * 9999)}.sh`;
}
