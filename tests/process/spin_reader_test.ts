// The spin reader polls the pipe between a child and this process, and no other file.

import { assertEquals } from "@std/assert";
import { Pipe } from "../../host/process/pipe.ts";
import { SpinReader } from "../../host/process/spin_reader.ts";
import { testLinux } from "../support/plugin_process.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

/** A shell whose standard streams are pipes to this process. */
class Shell implements AsyncDisposable {
  readonly process: Deno.ChildProcess;
  readonly reader: SpinReader;
  readonly #stdout: Pipe;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(script: string) {
    this.process = new Deno.Command("sh", {
      args: ["-c", script],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdout = new Pipe(this.process.pid, 1);
    this.reader = new SpinReader(this.#stdout);
    this.#writer = this.process.stdin.getWriter();
  }

  /** Closes the pipe of the reader. */
  close(): void {
    this.#stdout.close();
  }

  async write(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(text));
  }

  /** Waits until it has written to its stderr. */
  async hasSaid(): Promise<void> {
    const reader = this.process.stderr.getReader();
    await reader.read();
    reader.releaseLock();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#writer.close().catch(() => {});
    await this.process.stdout.cancel();
    await this.process.stderr.cancel();
    await this.process.status;
  }
}

/** Returns how many descriptors of this process refer to a child's stdout. */
function descriptors({ process }: Shell): number {
  const target = Deno.readLinkSync(`/proc/${process.pid}/fd/1`);
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`) === target) count++;
    } catch {
      // Another test has closed it.
    }
  }
  return count;
}

testLinux("output of a child is read as it arrives", async () => {
  await using child = new Shell("exec cat");
  const buffer = new Uint8Array(5);
  for (const text of ["one", "and another"]) {
    await child.write(text);
    let read = "";
    // On a busy machine the output may be late, and polls are skipped then.
    for (let time = 0; time < 1_000_000 && read.length < text.length; time++) {
      const count = child.reader.read(buffer);
      read += new TextDecoder().decode(buffer.subarray(0, count));
    }
    assertEquals(read, text);
  }
});

testLinux(
  "late output is polled for less and less often",
  async () => {
    await using child = new Shell(
      "read line; echo text; echo done >&2; read line",
    );
    const buffer = new Uint8Array(5);
    // 11 polls, between which 1, 2, 4 ... 512 are skipped.
    for (let time = 0; time < 1_100; time++) {
      assertEquals(child.reader.read(buffer), 0);
    }
    await child.write("\n");
    await child.hasSaid();
    for (let time = 0; time < 900; time++) {
      assertEquals(child.reader.read(buffer), 0);
    }
    let count = 0;
    for (let time = 0; time < 200 && count === 0; time++) {
      count = child.reader.read(buffer);
    }
    assertEquals(count, 5);
  },
);

testLinux("a poll of a child that has exited reads nothing", async () => {
  await using child = new Shell("exit 0");
  await child.process.status;
  assertEquals(child.reader.read(new Uint8Array(5)), 0);
});

for (
  const [what, redirection] of Object.entries({
    "a file": '1<>"$FILE"',
    "a pipe from elsewhere": "1<<END\nnot for you\nEND\n",
  })
) {
  testLinux(`nothing is read where stdout is ${what}`, async () => {
    await using directory = await TemporaryDirectory.make();
    const path = await directory.write("out", "not for you");
    // A file that this process also has open is not a pipe.
    using _file = await Deno.open(path);
    await using child = new Shell(
      // In a separate shell: for a moment its stdout is the stderr of this one.
      `FILE="${path}"; exec ${redirection}\n(echo done >&2); read line`,
    );
    await child.hasSaid();
    const before = descriptors(child);
    assertEquals(child.reader.read(new Uint8Array(5)), 0);
    assertEquals(descriptors(child), before);
  });
}

testLinux("no descriptor is left when a reader is closed", async () => {
  await using child = new Shell("exec cat");
  const before = descriptors(child);
  child.reader.read(new Uint8Array(5));
  assertEquals(descriptors(child), before + 1);
  child.close();
  child.close();
  assertEquals(descriptors(child), before);
  for (let time = 0; time < 100; time++) {
    assertEquals(child.reader.read(new Uint8Array(5)), 0);
  }
  assertEquals(descriptors(child), before);
});
