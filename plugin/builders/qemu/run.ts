// One run of the builder: what its steps share.

import type {
  CdState,
  HttpState,
  IsoState,
  KeyPairState,
  OutputDirectoryState,
} from "../../builder/mod.ts";
import type { Communicator } from "../../contract/communicator.ts";
import type { BuildContext } from "../../contract/build_context.ts";
import { render } from "../../sdk/render.ts";
import type { QemuConfig } from "./qemu_options.ts";
import type { QemuProcess } from "./qemu_process.ts";
import type { Swtpm } from "./swtpm.ts";
import { templateFields } from "./template_fields.ts";

/** What the steps read, and add to. */
export interface QemuState
  extends IsoState, OutputDirectoryState, HttpState, CdState, KeyPairState {
  /** The connection to the machine. */
  communicator?: Communicator;
  /** This machine's address, as the machine reaches it. */
  hostAddress?: string;
  /** The URL of the medium, where QEMU reads it from there. */
  mediumUrl?: string;
  /** The paths of the disks. */
  disks?: string[];
  /** The EFI firmware, with the machine's own variables. */
  efi?: { code: string; vars: string };
  /** The emulated TPM. */
  tpm?: Swtpm;
  /** The port that is forwarded to the machine's sshd. */
  sshPort?: number;
  /** The name of the accelerator. */
  accelerator?: string;
  /** The machine. */
  qemu?: QemuProcess;
  /** The machine's address on a bridge. */
  guestAddress?: string;
}

/** What a run is made of. */
export interface QemuRun {
  readonly config: QemuConfig;
  readonly build: BuildContext;
  /** The name of the machine and of its first disk. */
  readonly name: string;
  /** The absolute path of the output directory. */
  readonly directory: string;
}

/**
 * Fills in the templates of an option that the builder renders by itself.
 *
 * @param run The run.
 * @param state What the steps so far have made.
 * @param text The value.
 */
export async function renderText(
  { build, config, directory, name }: QemuRun,
  state: QemuState,
  text: string,
): Promise<string> {
  return await render(text, build, {
    fields: templateFields({
      name,
      directory,
      config,
      hostAddress: state.hostAddress,
      httpPort: state.http?.port,
      sshPort: state.sshPort,
      publicKey: state.keys?.publicKey,
    }),
  });
}
