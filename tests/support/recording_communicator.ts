// A communicator that records commands and uploads, and answers from a script: for provisioners of systems that tests
// cannot boot, such as Windows.

import type {
  Communicator,
  DirectoryTransfer,
  Download,
  RemoteCommand,
  RunningCommand,
  Upload,
} from "../../plugin/contract/communicator.ts";

/** One thing that was sent to the machine. */
export type Recorded =
  | { readonly command: string }
  | {
    readonly upload: string;
    readonly content: string;
    readonly size?: number;
    readonly mode?: number;
  };

/** How the machine answers a command; it cannot be reached where that is an error. */
export type Answer =
  | { readonly status?: number; readonly stdout?: string }
  | Error;

/** The machine. */
export class RecordingCommunicator implements Communicator {
  /** What was sent, in order. */
  readonly sent: Recorded[] = [];
  readonly #answer: (command: string, index: number) => Answer;
  #commands = 0;

  /**
   * @param answer Answers a command; `index` counts the commands from 0. Exit status 0 and no output unless given.
   */
  constructor(answer: (command: string, index: number) => Answer = () => ({})) {
    this.#answer = answer;
  }

  /** Notes a command, and answers it. */
  async start(
    { command, stdout, stderr }: RemoteCommand,
  ): Promise<RunningCommand> {
    this.sent.push({ command });
    const answer = this.#answer(command, this.#commands++);
    if (answer instanceof Error) throw answer;
    const writer = stdout?.getWriter();
    if (answer.stdout) {
      await writer?.write(new TextEncoder().encode(answer.stdout));
    }
    await writer?.close();
    await stderr?.close();
    return { wait: () => answer.status ?? 0 };
  }

  /** Notes a file. */
  async upload({ path, source, size, mode }: Upload): Promise<void> {
    const content = await new Response(source as BodyInit).text();
    this.sent.push({
      upload: path,
      content,
      ...(size === undefined ? {} : { size }),
      ...(mode === undefined ? {} : { mode }),
    });
  }

  /** Is not to be called. */
  uploadDir(transfer: DirectoryTransfer): void {
    throw new Error(`no directory is expected, such as ${transfer.source}`);
  }

  /** Is not to be called. */
  download({ path }: Download): void {
    throw new Error(`there is no file ${path}`);
  }

  /** Is not to be called. */
  downloadDir(transfer: DirectoryTransfer): void {
    throw new Error(`there is no directory ${transfer.source}`);
  }
}

/**
 * Replaces what is random in each run by a number: the same text gets the same number.
 *
 * @param sent What was sent to a machine.
 */
export function withoutRandomness(sent: readonly Recorded[]): Recorded[] {
  const numbers = new Map<string, number>();
  const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
  const text = JSON.stringify(sent).replace(uuid, (found) => {
    if (!numbers.has(found)) numbers.set(found, numbers.size + 1);
    return `UUID${numbers.get(found)}`;
  });
  return JSON.parse(text);
}
