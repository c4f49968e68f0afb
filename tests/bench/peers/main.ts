// The peers from npm, each as its own documentation has it between two Deno
// processes: `main.ts NAME` calls, `main.ts NAME serve` is called.

const [name, role] = Deno.args;
const isServer = role === "serve";

switch (name) {
  case "kkrpc": {
    const { kkrpcClient, kkrpcServer } = await import("./kkrpc.ts");
    await (isServer ? kkrpcServer() : kkrpcClient());
    break;
  }
  case "vscode-jsonrpc": {
    const { jsonrpcClient, jsonrpcServer } = await import(
      "./vscode_jsonrpc.ts"
    );
    await (isServer ? jsonrpcServer() : jsonrpcClient());
    break;
  }
  default:
    console.error(`there is no peer "${name}"`);
    Deno.exit(2);
}
