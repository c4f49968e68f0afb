// vscode-jsonrpc: JSON-RPC with headers over stdio, as language servers speak it.

import process from "node:process";
import { spawn } from "node:child_process";
import { driven, echoWorks } from "../programs/driven.ts";

// Imported when it runs: this package is not the product's, whose check does
// not know it. It is CommonJS: what it exports is its default.
const { createMessageConnection, StreamMessageReader, StreamMessageWriter } =
  (await import("vscode-jsonrpc/node")).default;

/** Serves `echo` until stdin is closed. */
export async function jsonrpcServer(): Promise<void> {
  const connection = createMessageConnection(
    new StreamMessageReader(process.stdin),
    new StreamMessageWriter(process.stdout),
  );
  connection.onRequest("echo", (value: unknown) => value);
  connection.onClose(() => process.exit());
  connection.listen();
  await new Promise(() => {});
}

/** Calls it. */
export async function jsonrpcClient(): Promise<void> {
  const child = spawn(
    Deno.execPath(),
    [
      "run",
      "--quiet",
      "--allow-all",
      process.argv[1]!,
      "vscode-jsonrpc",
      "serve",
    ],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  connection.listen();
  const { sequential, concurrent } = echoWorks((value) =>
    connection.sendRequest("echo", value)
  );
  await driven({
    sequential: sequential!,
    concurrent: concurrent!,
    // It has no bytes: the same mebibyte as a text.
    async bytes(count) {
      const text = "x".repeat(1 << 20);
      for (let index = 0; index < count; index++) {
        await connection.sendRequest("echo", { text });
      }
    },
  });
  child.kill();
  process.exit();
}
