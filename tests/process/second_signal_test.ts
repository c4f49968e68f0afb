// The second signal kills everything, whatever the host's main thread does.

import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";

const BLOCKED_HOST = fromFileUrl(
  import.meta.resolve("../fixtures/plugins/blocked_host.ts"),
);
const PLUGIN = [
  Deno.execPath(),
  "run",
  "--no-lock",
  "--allow-all",
  fromFileUrl(import.meta.resolve("../fixtures/plugins/worker_plugin.ts")),
];

async function textUntil(
  stream: ReadableStream<Uint8Array>,
  pattern: RegExp,
): Promise<RegExpExecArray> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const found = pattern.exec(text);
    if (found !== null) return found;
  }
  throw new Error(`not in ${JSON.stringify(text)}`);
}

/** Whether a process runs; one that has exited may still be a zombie. */
async function runs(pid: number): Promise<boolean> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    return !/^State:\s+Z/m.test(status);
  } catch {
    return false;
  }
}

for (
  const [first, second, code] of [
    ["SIGINT", "SIGINT", 130],
    ["SIGTERM", "SIGTERM", 143],
    ["SIGINT", "SIGTERM", 143],
  ] as const
) {
  Deno.test({
    name: `${first} and ${second} end a host whose main thread is blocked`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      const host = new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-lock", "--allow-all", BLOCKED_HOST, ...PLUGIN],
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const stderr = new Response(host.stderr).text();
      const [, plugin] = await textUntil(host.stdout, /blocked (\d+)\n/);
      // Sent to the host alone, not to a group.
      host.kill(first);
      // Two signals that arrive before the first is handled count as one.
      await new Promise((resolve) => setTimeout(resolve, 500));
      host.kill(second);
      const status = await host.status;
      assertEquals(status.code, code);
      assertMatch(
        await stderr,
        new RegExp(
          `\nKilled by the second ${second} while baler was busy\\. These builds may not have been cleaned up: one, two\\.\n$`,
        ),
      );
      assertEquals(await runs(Number(plugin)), false);
    },
  });
}
