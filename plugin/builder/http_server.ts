// The server of http_directory and http_content: a machine that is being
// installed gets its preseed or kickstart file from it.

import { join } from "@std/path";

/** What an {@linkcode HttpServer} serves, and where. */
export interface HttpServerOptions {
  /** A directory; its files are served below `/`. */
  directory?: string | undefined;
  /** Contents by their paths, such as `/preseed.cfg`, in place of a directory. */
  content?: Readonly<Record<string, string>> | undefined;
  /** The address to listen on; every one unless given. */
  hostname?: string | undefined;
  /** The lowest port; 8000 unless given. */
  portMin?: number | undefined;
  /** The highest port; 9000 unless given. */
  portMax?: number | undefined;
}

/** Serves files over HTTP as long as it exists. */
export class HttpServer implements AsyncDisposable {
  /** The port that it listens on. */
  readonly port: number;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /**
   * Starts it, on the first port of the range that is free, beginning at a
   * random one so that parallel builds do not meet.
   *
   * @param options What to serve, and where.
   * @throws {Error} When no port of the range is free.
   */
  constructor(options: HttpServerOptions) {
    const { hostname = "0.0.0.0", portMin = 8000, portMax = 9000 } = options;
    const count = portMax - portMin + 1;
    const first = Math.floor(Math.random() * count);
    for (let index = 0;; index++) {
      if (index >= count) {
        throw new Error(
          `no port from ${portMin} to ${portMax} is free for the HTTP server`,
        );
      }
      const port = portMin + (first + index) % count;
      try {
        this.#server = Deno.serve(
          { hostname, port, onListen() {}, onError },
          (request) => respond(request, options),
        );
      } catch (error) {
        if (error instanceof Deno.errors.AddrInUse) continue;
        throw error;
      }
      this.port = port;
      return;
    }
  }

  /** Stops it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function onError(): Response {
  return new Response("cannot read the file\n", { status: 500 });
}

async function respond(
  request: Request,
  { directory, content }: HttpServerOptions,
): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
  }
  let path: string;
  try {
    path = decodeURIComponent(new URL(request.url).pathname);
  } catch {
    return notFound();
  }
  const headers = { "content-type": "application/octet-stream" };
  if (content) {
    const found = Object.hasOwn(content, path)
      ? content[path]
      : Object.hasOwn(content, path.slice(1))
      ? content[path.slice(1)]
      : undefined;
    return found === undefined ? notFound() : new Response(found, { headers });
  }
  if (!directory || path.includes("\0")) return notFound();
  try {
    // What leads out of the directory, by ".." or by a symlink, is not there.
    const root = await Deno.realPath(directory);
    const real = await Deno.realPath(join(root, path));
    if (!real.startsWith(`${root}/`)) return notFound();
    const file = await Deno.open(real);
    const { isFile, size } = await file.stat();
    if (!isFile || request.method === "HEAD") file.close();
    if (!isFile) return notFound();
    return new Response(request.method === "HEAD" ? null : file.readable, {
      headers: { ...headers, "content-length": String(size) },
    });
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory
    ) return notFound();
    throw error;
  }
}

function notFound(): Response {
  return new Response("not found\n", { status: 404 });
}
