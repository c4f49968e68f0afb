// The conformance suite of communicators: kept by those of baler, and by which
// check each of the bugs is found that are planted here.

import { assertEquals, assertRejects } from "@std/assert";
import { basename, join } from "@std/path";
import {
  CommandCommunicator,
  LocalCommunicator,
  LocalProcess,
  SshCommunicator,
} from "../../plugin/builder/mod.ts";
import type {
  Communicator,
  DirectoryTransfer,
  Download,
  RemoteCommand,
  RunningCommand,
  Upload,
} from "../../plugin/contract/communicator.ts";
import { checkCommunicator } from "../../plugin/testing/mod.ts";
import { skippable } from "../support/programs.ts";
import { noSshd, sshConfig, Sshd } from "../support/sshd.ts";

const isWindows = Deno.build.os === "windows";

/** The machine is this one, by nothing but commands. */
class ShellCommunicator extends CommandCommunicator {
  start({ command, ...streams }: RemoteCommand): RunningCommand {
    return new LocalProcess({ argv: ["/bin/sh", "-c", command], ...streams });
  }
}

async function inDirectory(
  body: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "baler-conformance-" });
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test({
  name: "the local communicator keeps every promise",
  ignore: isWindows,
  fn: () =>
    inDirectory(async (directory) => {
      await using communicator = new LocalCommunicator({
        workingDirectory: directory,
      });
      await checkCommunicator({ communicator, directory });
    }),
});

Deno.test({
  name: "CommandCommunicator keeps every promise",
  ignore: isWindows,
  fn: () =>
    inDirectory(async (directory) => {
      await checkCommunicator({
        communicator: new ShellCommunicator(),
        directory,
      });
    }),
});

for (const method of ["scp", "sftp"]) {
  for (const pty of [false, true]) {
    Deno.test({
      ...skippable(
        `the ssh communicator keeps every promise: ${method}${
          pty ? " and ssh_pty" : ""
        }`,
        noSshd,
      ),
      fn: () =>
        inDirectory(async (directory) => {
          await using sshd = await Sshd.start();
          await using communicator = new SshCommunicator({
            target: { host: "127.0.0.1", port: sshd.port, username: "root" },
            config: sshConfig({
              ssh_private_key_file: sshd.key,
              ssh_file_transfer_method: method,
              ssh_pty: pty,
            }),
          });
          await checkCommunicator({
            communicator,
            directory,
            // A terminal changes the bytes that go through it.
            ...(pty
              ? {
                only: [
                  "wait() returns the exit status",
                  "an aborted command makes wait() throw the signal's reason",
                  "an aborted command ends with all that it has started",
                ],
              }
              : {}),
          });
        }),
    });
  }
}

/** Passes everything on to the local communicator; each bug below changes one thing. */
class Forwarding implements Communicator {
  readonly to: LocalCommunicator;

  constructor(directory: string) {
    this.to = new LocalCommunicator({ workingDirectory: directory });
  }
  start(command: RemoteCommand): RunningCommand | Promise<RunningCommand> {
    return this.to.start(command);
  }
  upload(upload: Upload): Promise<void> {
    return this.to.upload(upload);
  }
  uploadDir(transfer: DirectoryTransfer): Promise<void> {
    return this.to.uploadDir(transfer);
  }
  download(download: Download): Promise<void> {
    return this.to.download(download);
  }
  downloadDir(transfer: DirectoryTransfer): Promise<void> {
    return this.to.downloadDir(transfer);
  }
}

/** A stream into another one, with its chunks changed. */
function changed(
  to: WritableStream<Uint8Array>,
  change: (chunk: Uint8Array) => Uint8Array,
): WritableStream<Uint8Array> {
  const writer = to.getWriter();
  return new WritableStream({
    write: (chunk) => writer.write(change(chunk)),
    close: () => writer.close(),
  });
}

const asText = (chunk: Uint8Array) =>
  new TextEncoder().encode(new TextDecoder().decode(chunk));

/** A planted bug, and the check that must find it. */
const BUGS: Record<string, {
  found: string;
  plant: (to: Forwarding) => void;
}> = {
  "the exit status is success or failure": {
    found: "wait() returns the exit status",
    plant: (to) => {
      const start = to.start.bind(to);
      to.start = async (command) => {
        const running = await start(command);
        return { wait: async () => Number(await running.wait() !== 0) };
      };
    },
  },
  "stderr goes where stdout goes": {
    found: "stdout and stderr are two streams, complete and closed at the end",
    plant: (to) => {
      const start = to.start.bind(to);
      to.start = async ({ stderr, ...command }) => {
        await stderr?.close();
        return await start({
          ...command,
          command: `exec 2>&1; ${command.command}`,
        });
      };
    },
  },
  "the outputs stay open": {
    found: "stdout and stderr are two streams, complete and closed at the end",
    plant: (to) => {
      const start = to.start.bind(to);
      to.start = ({ stdout, ...command }) => {
        const writer = stdout?.getWriter();
        return start({
          ...command,
          ...(writer
            ? { stdout: new WritableStream({ write: (c) => writer.write(c) }) }
            : {}),
        });
      };
    },
  },
  "the end of stdin does not come": {
    found: "stdin reaches the command, with its end",
    plant: (to) => {
      const start = to.start.bind(to);
      to.start = ({ stdin, ...command }) => {
        const reader = stdin?.getReader();
        return start({
          ...command,
          ...(reader
            ? {
              stdin: new ReadableStream({
                async pull(controller) {
                  const { done, value } = await reader.read();
                  if (done) await new Promise(() => {});
                  controller.enqueue(value);
                },
              }),
            }
            : {}),
        });
      };
    },
  },
  "output is decoded as text": {
    found: "bytes go through both ways unchanged",
    plant: (to) => {
      const start = to.start.bind(to);
      to.start = ({ stdout, ...command }) =>
        start({
          ...command,
          ...(stdout ? { stdout: changed(stdout, asText) } : {}),
        });
    },
  },
  "the command is quoted wrongly": {
    found: "the command's text reaches the shell unchanged",
    plant: (to) => {
      const start = to.start.bind(to);
      to.start = (command) =>
        start({ ...command, command: command.command.replaceAll("\\", "") });
    },
  },
  "start() waits for the end": {
    found:
      "start() returns while the command runs, and commands run side by side",
    plant: (to) => {
      const start = to.start.bind(to);
      to.start = async (command) => {
        const running = await start(command);
        await running.wait();
        return running;
      };
    },
  },
  "an abort is an exit status": {
    found: "an aborted command makes wait() throw the signal's reason",
    plant: (to) => {
      const start = to.start.bind(to);
      to.start = async (command) => {
        const running = await start(command);
        return {
          wait: async () => {
            try {
              return await running.wait();
            } catch {
              return 1;
            }
          },
        };
      };
    },
  },
  "an abort ends only the shell": {
    found: "an aborted command ends with all that it has started",
    plant: (to) => {
      const start = to.start.bind(to);
      // The child leaves the process group, and ends by itself later.
      to.start = (command) =>
        start({
          ...command,
          command: command.command.replace(
            "sleep 1000 &",
            "setsid sleep 20 >/dev/null 2>&1 &",
          ),
        });
    },
  },
  "an upload does not truncate": {
    found: "upload() replaces a file that is longer",
    plant: (to) => {
      to.upload = async ({ path, source, mode }) => {
        const file = await Deno.open(path, {
          write: true,
          create: true,
          ...(mode === undefined ? {} : { mode }),
        });
        await source.pipeTo(file.writable);
      };
    },
  },
  "an upload has no mode": {
    found: "upload() gives the file its mode",
    plant: (to) => {
      const upload = to.upload.bind(to);
      to.upload = ({ mode: _, ...rest }) => upload(rest);
    },
  },
  "a name is a word of a shell": {
    found: "upload() and download() take every name",
    plant: (to) => {
      const upload = to.upload.bind(to);
      to.upload = ({ path, ...rest }) =>
        upload({ path: path.replace("$HOME", "/tmp"), ...rest });
    },
  },
  "an upload makes directories": {
    found: "upload() into a directory that is not there fails, and makes none",
    plant: (to) => {
      const upload = to.upload.bind(to);
      to.upload = async (one) => {
        await Deno.mkdir(join(one.path, ".."), { recursive: true });
        await upload(one);
      };
    },
  },
  "a broken source is the end of the file": {
    found: "upload() fails when its source does",
    plant: (to) => {
      const upload = to.upload.bind(to);
      to.upload = ({ source, ...rest }) => {
        const reader = source.getReader();
        return upload({
          ...rest,
          source: new ReadableStream({
            async pull(controller) {
              try {
                const { done, value } = await reader.read();
                if (done) controller.close();
                else controller.enqueue(value);
              } catch {
                controller.close();
              }
            },
          }),
        });
      };
    },
  },
  "exclusive is ignored": {
    found: "upload() with exclusive fails where something is",
    plant: (to) => {
      const upload = to.upload.bind(to);
      to.upload = ({ exclusive: _, ...rest }) => upload(rest);
    },
  },
  "a missing file is an empty one": {
    found: "download() of a file that is not there, or of a directory, fails",
    plant: (to) => {
      const download = to.download.bind(to);
      to.download = async ({ path, destination }) => {
        const exists = await Deno.stat(path).then(() => true, () => false);
        if (exists) await download({ path, destination });
        else await destination.close();
      };
    },
  },
  "a slash has no meaning": {
    found:
      "uploadDir() copies the directory itself, and with a slash its content",
    plant: (to) => {
      const uploadDir = to.uploadDir.bind(to);
      to.uploadDir = ({ source, ...rest }) =>
        uploadDir({ ...rest, source: source.replace(/\/$/, "") });
    },
  },
  "exclude is ignored": {
    found: "uploadDir() leaves out what is excluded",
    plant: (to) => {
      const uploadDir = to.uploadDir.bind(to);
      to.uploadDir = ({ exclude: _, ...rest }) => uploadDir(rest);
    },
  },
  "a download's symlinks are followed": {
    found:
      "downloadDir() copies the directory itself, and with a slash its content",
    plant: (to) => {
      const downloadDir = to.downloadDir.bind(to);
      to.downloadDir = async (transfer) => {
        await downloadDir(transfer);
        const root = transfer.source.endsWith("/")
          ? transfer.destination
          : join(transfer.destination, basename(transfer.source));
        const link = join(root, "link");
        if (await Deno.lstat(link).then(() => false, () => true)) return;
        const content = await Deno.readFile(link);
        await Deno.remove(link);
        await Deno.writeFile(link, content);
      };
    },
  },
  "wildcards are names": {
    found: "downloadDir() takes wildcards",
    plant: (to) => {
      const downloadDir = to.downloadDir.bind(to);
      to.downloadDir = async (transfer) => {
        if (/[*?[]/.test(transfer.source)) return;
        await downloadDir(transfer);
      };
    },
  },
};

for (const [bug, { found, plant }] of Object.entries(BUGS)) {
  Deno.test({
    name: `checkCommunicator() finds that ${bug}`,
    ignore: isWindows,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () =>
      inDirectory(async (directory) => {
        const communicator = new Forwarding(directory);
        await using _ = communicator.to;
        plant(communicator);
        const broken: string[] = [];
        await assertRejects(
          () =>
            checkCommunicator({
              communicator,
              directory,
              only: [found],
              // Two of the bugs make a check wait for ever.
              timeoutMs: 5_000,
              onResult: (name, failure) => {
                if (failure) broken.push(name);
              },
            }),
          AggregateError,
          found,
        );
        assertEquals(broken, [found]);
      }),
  });
}
