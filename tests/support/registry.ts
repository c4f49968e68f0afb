// A registry of images for tests: a real one, behind a door that asks for a user and a password.

import { type Peer, peer } from "../peers/peers.ts";

/** A registry that runs. */
export class Registry implements AsyncDisposable {
  /** Its address: `127.0.0.1:PORT`. */
  readonly address: string;
  readonly #child: Deno.ChildProcess;
  readonly #door: Deno.HttpServer;

  private constructor(child: Deno.ChildProcess, door: Deno.HttpServer) {
    this.#child = child;
    this.#door = door;
    this.address = `127.0.0.1:${(door.addr as Deno.NetAddr).port}`;
  }

  /**
   * Starts a registry.
   *
   * @param path The path of its executable.
   * @param user The user.
   * @param password The password.
   */
  static async start(
    path: string,
    user: string,
    password: string,
  ): Promise<Registry> {
    const child = new Deno.Command(path, {
      args: ["-port", "0"],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const lines = child.stderr.pipeThrough(new TextDecoderStream())
      .getReader();
    let text = "";
    let port: string | undefined;
    while (port === undefined) {
      const { done, value } = await lines.read();
      if (done) throw new Error(`the registry does not start: ${text}`);
      text += value;
      port = /serving on port (\d+)/.exec(text)?.[1];
    }
    // Its log is read to its end, so that it never blocks.
    (async () => {
      while (!(await lines.read()).done);
    })();
    const allowed = `Basic ${btoa(`${user}:${password}`)}`;
    const door = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        if (request.headers.get("authorization") !== allowed) {
          await request.body?.cancel();
          return new Response("", {
            status: 401,
            headers: { "www-authenticate": 'Basic realm="test"' },
          });
        }
        const url = new URL(request.url);
        const answer = await fetch(
          `http://localhost:${port}${url.pathname}${url.search}`,
          {
            method: request.method,
            headers: request.headers,
            body: request.body,
            redirect: "manual",
          },
        );
        return new Response(answer.body, answer);
      },
    );
    return new Registry(child, door);
  }

  /** The tags of a repository, sorted. */
  async tags(repository: string, authorization: string): Promise<string[]> {
    const response = await fetch(
      `http://${this.address}/v2/${repository}/tags/list`,
      { headers: { authorization: `Basic ${btoa(authorization)}` } },
    );
    return (await response.json()).tags.sort();
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#door.shutdown();
  }
}

/** The executable of the registry, or the reason why there is none. */
export function registryPeer(): Promise<Peer> {
  return peer("registry");
}
