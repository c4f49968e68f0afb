// Stand-ins for QEMU and qemu-img, which record how they are called. That of
// QEMU answers QMP, and ends like a machine that shuts down.

import { join } from "@std/path";
import { writeFile } from "../support/executable_file.ts";

/**
 * Writes the stand-ins.
 *
 * @param directory Their directory, for the front of `PATH`.
 * @param log The file that gets a line of JSON, the program and its arguments, for each call.
 */
export async function writeStandIns(
  directory: string,
  log: string,
): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  const config = join(import.meta.dirname!, "../../deno.json");
  for (const name of ["qemu-system-x86_64", "qemu-img"]) {
    await writeFile(
      join(directory, name),
      `#!/bin/sh
exec '${Deno.execPath()}' run --quiet --no-check --config '${config}' --allow-all '${import.meta.filename}' '${log}' ${name} "$@"
`,
      0o755,
    );
  }
}

/** How long the machine runs, in milliseconds: Packer takes one that ends sooner for one that did not start. */
const RUNS_MS = 3_000;

async function qemu(args: string[]): Promise<void> {
  if (args[0] === "-version") {
    console.log("QEMU emulator version 7.2.22");
    return;
  }
  const end = setTimeout(() => Deno.exit(0), RUNS_MS);
  const socket = args.at(-2) === "-qmp" ? args.at(-1)! : "";
  // Packer's own QMP socket is one that QEMU listens on.
  if (!socket.startsWith("unix:") || socket.includes("server")) return;
  const connection = await Deno.connect({
    transport: "unix",
    path: socket.slice("unix:".length),
  });
  const send = (message: unknown) =>
    connection.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
  await send({ QMP: {} });
  for await (const chunk of connection.readable) {
    const text = new TextDecoder().decode(chunk);
    for (const line of text.split("\n").filter(Boolean)) {
      await send({ return: {} });
      if (JSON.parse(line).execute === "quit") Deno.exit(0);
    }
  }
  clearTimeout(end);
}

async function qemuImg(args: string[]): Promise<void> {
  switch (args[0]) {
    case "info":
      console.log(
        JSON.stringify({ format: "qcow2", "virtual-size": 1024 ** 3 }),
      );
      return;
    case "create":
      return await Deno.writeTextFile(
        args.findLast((arg) => !/^\d+[KMGT]?$/.test(arg))!,
        "disk",
      );
    case "convert":
      return await Deno.writeTextFile(args.at(-1)!, "disk");
  }
}

if (import.meta.main) {
  const [log, name, ...args] = Deno.args;
  if (args[0] !== "-version") {
    await Deno.writeTextFile(log!, `${JSON.stringify([name, ...args])}\n`, {
      append: true,
    });
  }
  await (name === "qemu-img" ? qemuImg(args) : qemu(args));
}
