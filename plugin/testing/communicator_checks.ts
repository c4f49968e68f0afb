// The promises of the interface Communicator, a check for each.

import type { CheckContext, CommunicatorCheck } from "./check_communicator.ts";

const MEBIBYTE = 1024 * 1024;

const decoder = new TextDecoder();

/** The checks, in the order in which they run. */
export const communicatorChecks: readonly CommunicatorCheck[] = [
  {
    name: "wait() returns the exit status",
    async run({ run }) {
      for (const status of [0, 1, 3, 255]) {
        equal((await run(`exit ${status}`)).status, status, "the status");
      }
    },
  },
  {
    name: "stdout and stderr are two streams, complete and closed at the end",
    async run({ run }) {
      const { stdout, stderr } = await run(
        "printf out; printf err >&2; printf put",
      );
      equal(decoder.decode(stdout), "output", "stdout");
      equal(decoder.decode(stderr), "err", "stderr");
    },
  },
  {
    name: "outputs that nobody asked for are discarded",
    async run({ communicator }) {
      const running = await communicator.start({
        command:
          "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; echo e >&2; i=$((i+1)); done",
      });
      equal(await running.wait(), 0, "the status");
    },
  },
  {
    name: "stdin reaches the command, with its end",
    async run({ run }) {
      const { stdout } = await run("cat; echo end", { stdin: "a\nb" });
      equal(decoder.decode(stdout), "a\nbend\n", "what cat read");
    },
  },
  {
    name: "stdin is empty where none is given",
    async run({ run }) {
      equal(decoder.decode((await run("cat; echo end")).stdout), "end\n", "it");
    },
  },
  {
    name: "a command that does not read its stdin ends nevertheless",
    async run({ run }) {
      const { status } = await run("exit 4", { stdin: pattern(MEBIBYTE) });
      equal(status, 4, "the status");
    },
  },
  {
    name: "bytes go through both ways unchanged",
    async run({ run }) {
      const content = pattern(4 * MEBIBYTE);
      sameBytes((await run("cat", { stdin: content })).stdout, content);
    },
  },
  {
    name: "the command's text reaches the shell unchanged",
    async run({ run }) {
      const { stdout } = await run(
        `printf '%s|' "it's" '$HOME' 'a\nb' 'ü' '\\' "%s" '"'`,
      );
      equal(decoder.decode(stdout), `it's|$HOME|a\nb|ü|\\|%s|"|`, "the words");
    },
  },
  {
    name:
      "start() returns while the command runs, and commands run side by side",
    async run({ start, remote, run }) {
      const waiting = await start({
        command: `while [ ! -e ${remote}/go ]; do sleep 0.1; done; printf seen`,
      });
      equal((await run(`printf x > ${remote}/go`)).status, 0, "the second");
      equal(await waiting.wait(), 0, "the first");
      equal(waiting.stdout(), "seen", "its output");
    },
  },
  {
    name: "wait() can be called again, and after the end",
    async run({ communicator }) {
      const running = await communicator.start({ command: "exit 5" });
      equal(await running.wait(), 5, "the first");
      equal(await running.wait(), 5, "the second");
    },
  },
  {
    name: "an aborted command makes wait() throw the signal's reason",
    async run({ start }) {
      const abort = new AbortController();
      const running = await start({
        command: "echo started; sleep 1000",
        signal: abort.signal,
      });
      await until(() => running.stdout().includes("started"));
      abort.abort(new Error("a reason"));
      equal(await failureOf(running.wait()), "a reason", "the error");
    },
  },
  {
    name: "an aborted command ends with all that it has started",
    async run({ start, run }) {
      const abort = new AbortController();
      const running = await start({
        command: "sleep 1000 & echo $! $$ started; wait",
        signal: abort.signal,
      });
      await until(() => running.stdout().includes("started"));
      const pids = running.stdout().split(" ").slice(0, 2);
      abort.abort(new Error("a reason"));
      await running.wait().catch(() => {});
      const { stdout } = await run(
        `for pid in ${
          pids.join(" ")
        }; do kill -0 $pid 2>/dev/null || continue; ` +
          `case $(cat /proc/$pid/stat 2>/dev/null) in *") Z "*) ;; *) echo $pid ;; esac; done`,
      );
      equal(decoder.decode(stdout), "", "what still runs");
    },
  },
  {
    name: "with a signal that is aborted already nothing is started",
    async run({ communicator, remote, run }) {
      const error = await failureOf((async () => {
        const running = await communicator.start({
          command: `touch ${remote}/started`,
          signal: AbortSignal.abort(new Error("a reason")),
        });
        await running.wait();
      })());
      equal(error, "a reason", "the error");
      equal((await run(`test -e ${remote}/started`)).status, 1, "the file");
    },
  },
  {
    name: "upload() writes the bytes that it is given",
    async run({ communicator, remote, run }) {
      const content = pattern(2 * MEBIBYTE);
      await communicator.upload({
        path: `${remote}/file`,
        source: ReadableStream.from([
          content.slice(0, 10),
          content.slice(10),
        ]),
      });
      sameBytes((await run(`cat ${remote}/file`)).stdout, content);
      await communicator.upload({
        path: `${remote}/empty`,
        source: ReadableStream.from<Uint8Array>([]),
        size: 0,
      });
      equal((await run(`test -f ${remote}/empty`)).status, 0, "an empty file");
    },
  },
  {
    name: "upload() replaces a file that is longer",
    async run({ communicator, remote, run }) {
      await run(`printf 0123456789 > ${remote}/file`);
      await communicator.upload(textUpload(`${remote}/file`, "new"));
      const { stdout } = await run(`cat ${remote}/file`);
      equal(decoder.decode(stdout), "new", "the content");
    },
  },
  {
    name: "upload() gives the file its mode",
    async run({ communicator, remote, run }) {
      for (const mode of [0o600, 0o755, 0o640]) {
        await communicator.upload({
          ...textUpload(`${remote}/file`, "x"),
          mode,
        });
        const { stdout } = await run(`ls -l ${remote}/file`);
        equal(decoder.decode(stdout).slice(0, 10), permissions(mode), "ls");
      }
    },
  },
  {
    name: "upload() and download() take every name",
    async run({ communicator, remote, run }) {
      for (const name of ["with space", "it's", "$HOME", "-n", "ü*?[x]"]) {
        const path = `${remote}/${name}`;
        await communicator.upload(textUpload(path, name));
        equal(await downloaded(communicator, path), name, name);
      }
      const { stdout } = await run(`ls -a ${remote} | wc -l`);
      equal(decoder.decode(stdout).trim(), "7", "the names there");
    },
  },
  {
    name: "upload() into a directory that is not there fails, and makes none",
    async run({ communicator, remote, run }) {
      await mustFail(
        communicator.upload(textUpload(`${remote}/no/file`, "x")),
      );
      equal((await run(`test -e ${remote}/no`)).status, 1, "the directory");
    },
  },
  {
    name: "upload() onto a directory fails",
    async run({ communicator, remote, run }) {
      await run(`mkdir ${remote}/directory`);
      await mustFail(
        communicator.upload(textUpload(`${remote}/directory`, "x")),
      );
    },
  },
  {
    name: "upload() fails when its source does",
    async run({ communicator, remote }) {
      let count = 0;
      await mustFail(communicator.upload({
        path: `${remote}/file`,
        source: new ReadableStream({
          pull(controller) {
            if (count++ < 3) controller.enqueue(pattern(1000));
            else controller.error(new Error("the source broke"));
          },
        }),
      }));
    },
  },
  {
    name: "upload() stops when it is aborted",
    async run({ communicator, remote }) {
      const abort = new AbortController();
      const uploading = communicator.upload({
        path: `${remote}/file`,
        source: new ReadableStream({
          pull(controller) {
            controller.enqueue(pattern(1000));
            abort.abort(new Error("a reason"));
            return new Promise(() => {});
          },
        }),
        signal: abort.signal,
      });
      equal(await failureOf(uploading), "a reason", "the error");
    },
  },
  {
    name: "upload() with exclusive fails where something is",
    needsExclusive: true,
    async run({ communicator, remote, run }) {
      await run(
        `printf old > ${remote}/file; ln -s ${remote}/nowhere ${remote}/link`,
      );
      for (const name of ["file", "link"]) {
        await mustFail(communicator.upload({
          ...textUpload(`${remote}/${name}`, "new"),
          exclusive: true,
        }));
      }
      const { stdout } = await run(`cat ${remote}/file; ls ${remote}/nowhere`);
      equal(decoder.decode(stdout), "old", "what was there");
      await communicator.upload({
        ...textUpload(`${remote}/free`, "new"),
        exclusive: true,
        mode: 0o700,
      });
      const free = await run(`cat ${remote}/free`);
      equal(decoder.decode(free.stdout), "new", "a free name");
    },
  },
  {
    name: "download() gives the file's bytes, and closes the destination",
    async run({ communicator, remote, run }) {
      const content = pattern(2 * MEBIBYTE);
      await run(`cat > ${remote}/file`, { stdin: content });
      const chunks: Uint8Array[] = [];
      let isClosed = false;
      await communicator.download({
        path: `${remote}/file`,
        destination: new WritableStream({
          write: (chunk) => void chunks.push(chunk.slice()),
          close: () => void (isClosed = true),
        }),
      });
      equal(isClosed, true, "whether it is closed");
      sameBytes(
        new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()),
        content,
      );
    },
  },
  {
    name: "download() of a file that is not there, or of a directory, fails",
    async run({ communicator, remote }) {
      for (const path of [`${remote}/no`, remote]) {
        let isClosed = false;
        await mustFail(communicator.download({
          path,
          destination: new WritableStream({
            close: () => void (isClosed = true),
          }),
        }));
        equal(isClosed, false, "whether the destination was closed");
      }
    },
  },
  {
    name:
      "uploadDir() copies the directory itself, and with a slash its content",
    async run({ communicator, remote, local, run }) {
      await makeTree(`${local}/tree`);
      await communicator.uploadDir({
        source: `${local}/tree`,
        destination: `${remote}/a/b`,
      });
      await communicator.uploadDir({
        source: `${local}/tree/`,
        destination: `${remote}/c/d`,
      });
      for (const root of ["a/b/tree", "c/d"]) {
        const { stdout } = await run(
          `cd ${remote}/${root} && cat file sub/script && readlink link && ls -d empty && ls -l sub/script | cut -c1-10`,
        );
        equal(
          decoder.decode(stdout),
          "f\n#!\nfile\nempty\n-rwxr-x---\n",
          `the tree in ${root}`,
        );
      }
    },
  },
  {
    name: "uploadDir() leaves out what is excluded",
    async run({ communicator, remote, local, run }) {
      await makeTree(`${local}/tree`);
      await communicator.uploadDir({
        source: `${local}/tree/`,
        destination: `${remote}/to`,
        exclude: ["sub", "link"],
      });
      const { stdout } = await run(`ls -a ${remote}/to`);
      equal(decoder.decode(stdout), ".\n..\nempty\nfile\n", "the names");
    },
  },
  {
    name: "uploadDir() copies many files, and over what is there",
    async run({ communicator, remote, local, run }) {
      await Deno.mkdir(`${local}/many`);
      for (let index = 0; index < 200; index++) {
        await Deno.writeTextFile(`${local}/many/${index}`, `${index}\n`);
      }
      for (let round = 0; round < 2; round++) {
        await communicator.uploadDir({
          source: `${local}/many/`,
          destination: `${remote}/many`,
        });
      }
      const { stdout } = await run(`cat ${remote}/many/* | wc -l`);
      equal(decoder.decode(stdout).trim(), "200", "the files");
    },
  },
  {
    name: "uploadDir() of a directory that is not there fails",
    async run({ communicator, remote, local }) {
      await mustFail(communicator.uploadDir({
        source: `${local}/no`,
        destination: `${remote}/to`,
      }));
    },
  },
  {
    name:
      "downloadDir() copies the directory itself, and with a slash its content",
    async run({ communicator, remote, local, run }) {
      await makeRemoteTree(run, `${remote}/tree`);
      await communicator.downloadDir({
        source: `${remote}/tree`,
        destination: `${local}/a/b`,
      });
      await communicator.downloadDir({
        source: `${remote}/tree/`,
        destination: `${local}/c/d`,
      });
      for (const root of ["a/b/tree", "c/d"]) {
        const at = (name: string) => `${local}/${root}/${name}`;
        equal(await Deno.readTextFile(at("file")), "f\n", at("file"));
        equal(await Deno.readLink(at("link")), "file", at("link"));
        equal((await Deno.stat(at("empty"))).isDirectory, true, at("empty"));
        const { mode } = await Deno.stat(at("sub/script"));
        equal((mode ?? 0) & 0o777, 0o750, at("sub/script"));
      }
    },
  },
  {
    name: "downloadDir() leaves out what is excluded",
    async run({ communicator, remote, local, run }) {
      await makeRemoteTree(run, `${remote}/tree`);
      await communicator.downloadDir({
        source: `${remote}/tree/`,
        destination: `${local}/to`,
        exclude: ["sub", "link"],
      });
      equal(await namesIn(`${local}/to`), "empty file", "the names");
    },
  },
  {
    name: "downloadDir() takes wildcards",
    async run({ communicator, remote, local, run }) {
      await run(
        `cd ${remote}; mkdir -p one/a1 two; echo x > one/a1/f; echo y > one/a2; echo z > one/b; echo w > 'two/a 3'`,
      );
      await communicator.downloadDir({
        source: `${remote}/*/a[1-3 ]*`,
        destination: `${local}/to`,
      });
      equal(await namesIn(`${local}/to`), "a 3 a1 a2", "the names");
      equal(await Deno.readTextFile(`${local}/to/a1/f`), "x\n", "a1/f");
      await mustFail(communicator.downloadDir({
        source: `${remote}/no*`,
        destination: `${local}/none`,
      }));
    },
  },
  {
    name: "downloadDir() of a directory that is not there fails",
    async run({ communicator, remote, local }) {
      await mustFail(communicator.downloadDir({
        source: `${remote}/no`,
        destination: `${local}/to`,
      }));
    },
  },
];

function equal(seen: unknown, wanted: unknown, what: string): void {
  if (seen === wanted) return;
  throw new Error(
    `${what}: ${JSON.stringify(seen)}, and not ${JSON.stringify(wanted)}`,
  );
}

function sameBytes(seen: Uint8Array, wanted: Uint8Array): void {
  equal(seen.length, wanted.length, "the number of bytes");
  const at = seen.findIndex((byte, index) => byte !== wanted[index]);
  equal(at, -1, "the first byte that differs");
}

/** The message that a promise is rejected with. */
async function failureOf(promise: void | Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("it did not fail");
}

async function mustFail(promise: void | Promise<unknown>): Promise<void> {
  await failureOf(promise);
}

/** Waits for output; the check's own limit ends the wait. */
async function until(isSeen: () => boolean): Promise<void> {
  while (!isSeen()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Bytes of every value, which are no text. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) {
    bytes[index] = (index * 31 + (index >> 8)) & 0xff;
  }
  return bytes;
}

function textUpload(path: string, content: string) {
  return {
    path,
    source: ReadableStream.from([new TextEncoder().encode(content)]),
  };
}

async function downloaded(
  communicator: CheckContext["communicator"],
  path: string,
): Promise<string> {
  let content = "";
  await communicator.download({
    path,
    destination: new WritableStream({
      write: (chunk) => void (content += decoder.decode(chunk)),
    }),
  });
  return content;
}

/** A mode as ls shows it. */
function permissions(mode: number): string {
  const bits = [...mode.toString(2).padStart(9, "0")];
  return "-" +
    bits.map((bit, index) => bit === "1" ? "rwx"[index % 3] : "-").join("");
}

async function makeTree(root: string): Promise<void> {
  await Deno.mkdir(`${root}/sub`, { recursive: true });
  await Deno.mkdir(`${root}/empty`);
  await Deno.writeTextFile(`${root}/file`, "f\n");
  await Deno.writeTextFile(`${root}/sub/script`, "#!\n");
  await Deno.chmod(`${root}/sub/script`, 0o750);
  await Deno.symlink("file", `${root}/link`);
}

async function makeRemoteTree(
  run: CheckContext["run"],
  root: string,
): Promise<void> {
  await run(
    `mkdir -p ${root}/sub ${root}/empty; cd ${root}; echo f > file; echo '#!' > sub/script; chmod 750 sub/script; ln -s file link`,
  );
}

async function namesIn(directory: string): Promise<string> {
  const names = await Array.fromAsync(
    Deno.readDir(directory),
    ({ name }) => name,
  );
  return names.sort().join(" ");
}
