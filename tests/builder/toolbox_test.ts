// The smaller tools of the toolbox: retries, key pairs, the HTTP server and
// downloads.

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import {
  ChecksumError,
  download,
  HttpServer,
  parseChecksum,
  poll,
  resolveChecksum,
  retry,
  TemporaryKeyPair,
} from "../../plugin/builder/mod.ts";
import type { Ui } from "../../plugin/contract/ui.ts";
import { noSshd } from "../support/sshd.ts";
import { skippable } from "../support/programs.ts";

const { signal } = new AbortController();

async function inDirectory(
  body: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "baler-toolbox-" });
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

Deno.test("retry() stops at the last attempt, and at what will not pass", async () => {
  const attempts: number[] = [];
  await assertRejects(
    () =>
      retry((attempt) => {
        attempts.push(attempt);
        throw new Error(`failure ${attempt}`);
      }, { signal, attempts: 3, pauseMs: 1 }),
    Error,
    "failure 3",
  );
  assertEquals(attempts, [1, 2, 3]);
  let times = 0;
  await assertRejects(() =>
    retry(() => {
      times++;
      throw new TypeError("a bug");
    }, {
      signal,
      pauseMs: 1,
      isTransient: (error) => !(error instanceof TypeError),
    })
  );
  assertEquals(times, 1);
});

Deno.test("retry() and poll() stop when they are aborted", async () => {
  const abort = new AbortController();
  const retried = retry(() => {
    abort.abort(new Error("cancelled"));
    throw new Error("failure");
  }, { signal: abort.signal, pauseMs: 1_000_000 });
  await assertRejects(() => retried, Error, "cancelled");
  await assertRejects(
    () => poll(() => 1, { what: "x", signal: abort.signal, timeoutMs: 1 }),
    Error,
    "cancelled",
  );
});

Deno.test("poll() returns what it has found, or says what it waited for", async () => {
  let looks = 0;
  assertEquals(
    await poll(() => ++looks === 3 ? "there" : undefined, {
      what: "x",
      signal,
      timeoutMs: 60_000,
      intervalMs: 1,
    }),
    "there",
  );
  await assertRejects(
    () => poll(() => undefined, { what: "the moon", signal, timeoutMs: 0 }),
    Error,
    "waited 0 s for the moon",
  );
});

for (
  const [type, head] of [
    ["rsa", "-----BEGIN RSA PRIVATE KEY-----"],
    ["ecdsa", "-----BEGIN EC PRIVATE KEY-----"],
    ["ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----"],
  ] as const
) {
  Deno.test({
    ...skippable(
      `TemporaryKeyPair makes a pair of type ${type}, and deletes it`,
      noSshd,
    ),
    async fn() {
      const pair = await TemporaryKeyPair.create({ type, name: "a name" });
      assert(pair.privateKey.startsWith(head), pair.privateKey.slice(0, 40));
      assertMatch(pair.publicKey, /^\S+ \S+ a name$/);
      assertEquals((await Deno.stat(pair.privateKeyFile)).mode! & 0o777, 0o600);
      await pair[Symbol.asyncDispose]();
      await assertRejects(() => Deno.stat(pair.privateKeyFile));
    },
  });
}

Deno.test("TemporaryKeyPair refuses types and lengths that there are not", async () => {
  await assertRejects(
    () => TemporaryKeyPair.create({ type: "dsa" }),
    Error,
    'there is no key type "dsa"; the types are rsa, ecdsa, ed25519',
  );
  await assertRejects(
    () => TemporaryKeyPair.create({ type: "ecdsa", bits: 100 }),
    Error,
    "it has 256, 384, 521",
  );
});

Deno.test("HttpServer serves a directory, and nothing outside of it", async () => {
  await inDirectory(async (directory) => {
    await Deno.mkdir(join(directory, "d/sub"), { recursive: true });
    await Deno.writeTextFile(join(directory, "secret"), "secret");
    await Deno.writeTextFile(join(directory, "d/sub/a b"), "content");
    await Deno.symlink("../secret", join(directory, "d/link"));
    await using server = new HttpServer({
      directory: join(directory, "d"),
      hostname: "127.0.0.1",
      portMin: 20000,
      portMax: 29999,
    });
    const get = async (path: string, method = "GET") => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
        method,
      });
      return [response.status, await response.text()];
    };
    assertEquals(await get("/sub/a%20b"), [200, "content"]);
    assertEquals(await get("/sub/a%20b", "HEAD"), [200, ""]);
    assertEquals(await get("/sub/a%20b", "POST"), [405, ""]);
    for (
      const path of [
        "/",
        "/sub",
        "/absent",
        "/link",
        "/%2e%2e/secret",
        "/%00",
        "/%zz",
      ]
    ) {
      assertEquals((await get(path))[0], 404, path);
    }
  });
});

Deno.test("HttpServer serves contents, and says when no port is free", async () => {
  await using server = new HttpServer({
    content: { "/preseed.cfg": "d-i", "ks.cfg": "text" },
    hostname: "127.0.0.1",
    portMin: 20000,
    portMax: 29999,
  });
  const url = `http://127.0.0.1:${server.port}`;
  assertEquals(await (await fetch(`${url}/preseed.cfg`)).text(), "d-i");
  assertEquals(await (await fetch(`${url}/ks.cfg`)).text(), "text");
  const response = await fetch(`${url}/constructor`);
  assertEquals(response.status, 404);
  await response.body?.cancel();
  assertThrows(
    () =>
      new HttpServer({
        content: {},
        hostname: "127.0.0.1",
        portMin: server.port,
        portMax: server.port,
      }),
    Error,
    `no port from ${server.port} to ${server.port} is free`,
  );
});

/** A server that may end after some bytes, and knows ranges. */
function fileServer(content: Uint8Array<ArrayBuffer>) {
  const requests: (string | null)[] = [];
  const state = { cutAfter: Infinity, cut: Promise.withResolvers<void>() };
  const server = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      onListen() {},
      onError: () => new Response(),
    },
    (request) => {
      const range = request.headers.get("range");
      requests.push(range);
      if (!request.url.endsWith("/disk.img")) {
        return new Response(null, { status: 404 });
      }
      const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
      if (start >= content.length) return new Response(null, { status: 416 });
      const rest = content.subarray(start);
      const { cutAfter } = state;
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(rest.subarray(0, cutAfter));
          if (cutAfter >= rest.length) return controller.close();
          await state.cut.promise;
          controller.error(new Error("cut"));
        },
      });
      return new Response(body, {
        status: start > 0 ? 206 : 200,
        headers: { "content-length": String(rest.length) },
      });
    },
  );
  const { port } = server.addr as Deno.NetAddr;
  return {
    url: `http://127.0.0.1:${port}/disk.img`,
    requests,
    state,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("download() fetches once, for builds beside each other too", async () => {
  await inDirectory(async (cache) => {
    const content = crypto.getRandomValues(new Uint8Array(50_000));
    const checksum = await sha256(content);
    await using server = fileServer(content);
    const options = {
      urls: [server.url],
      checksum: `sha256:${checksum}`,
      cache,
    };
    const paths = await Promise.all([download(options), download(options)]);
    assertEquals(paths[0], paths[1]);
    assertMatch(paths[0]!, /\.img$/);
    assertEquals(await Deno.readFile(paths[0]!), content);
    assertEquals(await download(options), paths[0]);
    assertEquals(server.requests.length, 1);
    assertEquals((await Array.fromAsync(Deno.readDir(cache))).length, 1);
  });
});

Deno.test("download() goes on with what was interrupted", async () => {
  await inDirectory(async (cache) => {
    const content = crypto.getRandomValues(new Uint8Array(60_000));
    const checksum = await sha256(content);
    await using server = fileServer(content);
    const options = { urls: [server.url], checksum, cache };
    server.state.cutAfter = 20_000;
    const ui = { progress: () => server.state.cut.resolve() } as unknown as Ui;
    await assertRejects(
      () => download({ ...options, ui }),
      Error,
      `cannot get ${server.url}`,
    );
    server.state.cutAfter = Infinity;
    assertEquals(await Deno.readFile(await download(options)), content);
    const [first, second] = server.requests;
    assertEquals(first, null);
    assertMatch(second!, /^bytes=[1-9]\d*-$/);
  });
});

Deno.test("download() refuses a wrong checksum and keeps nothing of it", async () => {
  await inDirectory(async (cache) => {
    const content = new Uint8Array(10);
    await using server = fileServer(content);
    const { message } = await assertRejects(
      () => download({ urls: [server.url], checksum: "0".repeat(64), cache }),
      Error,
    );
    assertMatch(
      message,
      /the sha256 checksum is [0-9a-f]{64}, but should be 0{64}/,
    );
    assertEquals(await Array.fromAsync(Deno.readDir(cache)), []);
  });
});

Deno.test("download() tries each URL, and tells why none has it", async () => {
  await inDirectory(async (cache) => {
    const content = new Uint8Array([1, 2, 3]);
    await using server = fileServer(content);
    const absent = server.url.replace("disk", "absent");
    const path = await download({
      urls: [absent, server.url],
      checksum: "none",
      cache,
    });
    assertEquals(await Deno.readFile(path), content);
    const { message } = await assertRejects(
      () =>
        download({
          urls: [absent, join(cache, "no")],
          checksum: "none",
          cache,
        }),
      Error,
    );
    assertMatch(message, /absent\.img: 404 Not Found\n.*\/no: /);
  });
});

Deno.test("download() uses a local file where it is", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "a b");
    await Deno.writeFile(path, new Uint8Array([1]));
    const checksum = await sha256(new Uint8Array([1]));
    const cache = join(directory, "cache");
    for (const url of [path, `file://${directory}/a%20b`]) {
      assertEquals(await download({ urls: [url], checksum, cache }), path);
    }
    await assertRejects(
      () => download({ urls: [path], checksum: "1".repeat(64), cache }),
      Error,
      "checksum",
    );
    assert(await Deno.stat(path));
    assertEquals(ChecksumError.name, "ChecksumError");
  });
});

Deno.test("resolveChecksum() reads what the tools write", async () => {
  const hex = "ab".repeat(32);
  assertEquals(parseChecksum(hex.toUpperCase()), { algorithm: "sha256", hex });
  for (const text of ["", "sha256:ab", "md5:" + hex, "crc32:abcdef01", "xyz"]) {
    assertThrows(() => parseChecksum(text), Error, "is not a checksum");
  }
  await inDirectory(async (directory) => {
    const sums = join(directory, "SHA256SUMS");
    const other = "cd".repeat(32);
    for (
      const content of [
        `${other}  other.iso\n${hex}  disk.img\n`,
        `${hex} *./disk.img\r\n`,
        `SHA256 (other.iso) = ${other}\nSHA256 (disk.img) = ${hex}\n`,
        `${hex}\n`,
      ]
    ) {
      await Deno.writeTextFile(sums, content);
      assertEquals(
        await resolveChecksum(`file:${sums}`, "http://h/x/disk.img?y"),
        { algorithm: "sha256", hex },
      );
    }
    await assertRejects(
      async () => {
        await Deno.writeTextFile(sums, `${other}  other.iso\n`);
        await resolveChecksum(`file:${sums}`, "http://h/disk.img");
      },
      Error,
      "has none for disk.img",
    );
  });
  assertEquals(await resolveChecksum("none", "x"), undefined);
});
