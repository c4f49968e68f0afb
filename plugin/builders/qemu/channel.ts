// A character device of QEMU that leads to this process: QEMU connects to a
// socket in a private directory, on Windows to a port of this machine.

import { join } from "@std/path";
import { escapeCommas } from "./drives.ts";

/** A connection that QEMU is to make. */
export class Channel implements Disposable {
  /** The character device, for QEMU's command line. */
  readonly device: string;
  readonly #listener: Deno.Listener;
  #connection: Deno.Conn | undefined;
  #isClosed = false;

  /**
   * Listens for QEMU.
   *
   * @param directory A directory that only this user can read.
   * @param name The name of the socket in it.
   */
  constructor(directory: string, name: string) {
    if (Deno.build.os === "windows") {
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      this.#listener = listener;
      this.device = `tcp:127.0.0.1:${listener.addr.port}`;
    } else {
      const path = join(directory, name);
      this.#listener = Deno.listen({ transport: "unix", path });
      this.device = `unix:${escapeCommas(path)}`;
    }
  }

  /**
   * Waits for QEMU.
   *
   * @returns The connection; undefined when this was closed first.
   */
  async connected(): Promise<Deno.Conn | undefined> {
    try {
      this.#connection = await this.#listener.accept();
    } catch {
      return undefined;
    }
    // A second one would not be QEMU.
    this.#listener.close();
    if (!this.#isClosed) return this.#connection;
    this.#connection.close();
    return undefined;
  }

  /** Closes the connection, or the socket that waits for it. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const one of [this.#listener, this.#connection]) {
      try {
        one?.close();
      } catch { /* It is closed. */ }
    }
  }
}
