// kkrpc: superjson over stdio.

import process from "node:process";
import { spawn } from "node:child_process";
import { driven, echoWorks } from "../programs/driven.ts";

// Imported when they run: these packages are not the product's, whose check
// does not know them.
const { NodeIo, RPCChannel } = await import("kkrpc");
const { DenoIo } = await import("kkrpc/deno");

/** Serves `echo` until stdin is closed. */
export async function kkrpcServer(): Promise<void> {
  // kkrpc reads on at the end of its stdin, without a pause.
  const stdin = Deno.stdin.readable.pipeThrough(
    new TransformStream({ flush: () => Deno.exit() }),
  );
  new RPCChannel(new DenoIo(stdin), {
    expose: { echo: (value: unknown) => Promise.resolve(value) },
  });
  await new Promise(() => {});
}

/** Calls it. */
export async function kkrpcClient(): Promise<void> {
  const child = spawn(
    Deno.execPath(),
    ["run", "--quiet", "--allow-all", process.argv[1]!, "kkrpc", "serve"],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const channel = new RPCChannel(new NodeIo(child.stdout, child.stdin), {
    expose: {},
  });
  const api = channel.getAPI() as {
    echo(value: unknown): Promise<unknown>;
  };
  await driven(echoWorks((value) => api.echo(value)));
  child.kill();
  process.exit();
}
