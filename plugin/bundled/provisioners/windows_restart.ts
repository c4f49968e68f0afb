// The provisioner windows-restart restarts a Windows machine that is being built, and waits until it is back.

import type { PrepareOptions } from "../../contract/builder.ts";
import type { Communicator } from "../../contract/communicator.ts";
import type {
  Provisioner,
  ProvisionOptions,
} from "../../contract/provisioner.ts";
import type { Ui } from "../../contract/ui.ts";
import { delay } from "../../common/delay.ts";
import { setLongTimeout } from "../../common/long_timeout.ts";
import type { ConfigOf, Option } from "../../contract/options.ts";
import { serveProvisioner } from "../../sdk/serve.ts";
import { encodedPowerShellCommand } from "../shell/powershell_text.ts";
import { DISCONNECTED, runRemoteCommand } from "../shell/remote_command.ts";
import { retry } from "../shell/retry.ts";

const RESTART = 'shutdown /r /f /t 0 /c "packer restart"';
/** Fails while a restart is pending. */
const TRY_RESTART = 'shutdown /r /f /t 60 /c "packer restart test"';
const ABORT_RESTART = "shutdown /a";
/** Its output proves that PowerShell's modules are loaded: before that it prints an error instead. */
const CHECK = encodedPowerShellCommand(
  'echo ("{0} restarted." -f [System.Net.Dns]::GetHostName())',
);
const REGISTRY_KEYS = ["RebootPending", "PackagesPending"].map((name) =>
  `HKLM:SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\${name}`
).concat(
  "HKLM:Software\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootInProgress",
);

/** ERROR_SHUTDOWN_IN_PROGRESS, ERROR_SHUTDOWN_IS_SCHEDULED and RPC_S_UNKNOWN_IF (the service is down). */
const SHUTDOWN_IN_PROGRESS = 1115;
const SHUTDOWN_SCHEDULED = 1190;
const UNKNOWN_INTERFACE = 1717;

/** Between two looks whether the machine is going down, and whether it is back. */
const GOING_DOWN_DELAY_MS = 10_000;
const CHECK_DELAY_MS = 5_000;

const DEFAULT_TIMEOUT_MS = 5 * 60_000;

const options = {
  restart_command: {
    type: "string",
    default: RESTART,
    description: "The command that restarts the machine.",
  },
  restart_check_command: {
    type: "string",
    description:
      "A command that succeeds once the machine is back; its output is shown.",
  },
  restart_timeout: {
    type: "duration",
    default: DEFAULT_TIMEOUT_MS,
    description: "How long the restart may take.",
  },
  check_registry: {
    type: "boolean",
    default: false,
    description: "Wait until no restart is pending in the registry.",
  },
  registry_keys: {
    type: "strings",
    description:
      "The keys in the registry whose presence means a pending restart.",
  },
} as const satisfies Readonly<Record<string, Option>>;

type Config = ConfigOf<typeof options>;

/** The machine, and where its output is shown. */
interface Machine {
  ui: Ui;
  communicator: Communicator;
  signal: AbortSignal;
}

/** Restarts a Windows machine. */
export default class WindowsRestartProvisioner implements Provisioner<Config> {
  /** Its options. */
  readonly options: typeof options = options;
  #config!: Config;

  /** Takes the commands. */
  prepare({ config }: PrepareOptions<Config>): void {
    this.#config = config;
  }

  /** Restarts the machine, and returns when it is back. */
  async provision(
    { ui, communicator, signal }: ProvisionOptions,
  ): Promise<void> {
    signal.throwIfAborted();
    await ui.say("Restarting Machine");
    if (!communicator) {
      throw new Error(
        "there is no machine to restart: the builder has no communicator",
      );
    }
    const timeout = this.#config.restart_timeout || DEFAULT_TIMEOUT_MS;
    const machine = { ui, communicator, signal };
    const command = this.#config.restart_command || RESTART;
    const status = await retry(
      () => runRemoteCommand({ ...machine, command }),
      { timeoutMs: timeout, signal, ui },
    );
    // A restart that is quick takes the connection down with it.
    const expected = [
      0,
      SHUTDOWN_IN_PROGRESS,
      SHUTDOWN_SCHEDULED,
      DISCONNECTED,
    ];
    if (!expected.includes(status)) {
      throw new Error(
        `Restart script exited with non-zero exit status: ${status}`,
      );
    }
    await ui.say("Waiting for machine to restart...");
    await withTimeout(timeout, machine, async (machine) => {
      await untilDown(machine);
      await this.#untilUp(machine);
    });
    await ui.say("Machine successfully restarted, moving on");
  }

  async #untilUp(machine: Machine): Promise<void> {
    let check = this.#config.restart_check_command;
    // The default is the check that follows anyway.
    if (check === CHECK) check = undefined;
    for (;;) {
      await delay(CHECK_DELAY_MS, machine.signal);
      if (check) {
        // As in Packer, the check has passed when the command could be run.
        if (await run(check, machine) === undefined) continue;
        check = undefined;
      }
      const { stdout } = await run(CHECK, machine) ?? { stdout: "" };
      if (!stdout.includes("restarted.")) continue;
      if (!this.#config.check_registry) return;
      if (!await this.#isRestartPending(machine)) return;
    }
  }

  async #isRestartPending(machine: Machine): Promise<boolean> {
    const { registry_keys = [] } = this.#config;
    const keys = registry_keys.length > 0 ? registry_keys : REGISTRY_KEYS;
    let isPending = false;
    for (const key of keys) {
      const test = encodedPowerShellCommand(`Test-Path "${key}"`);
      const result = await run(test, machine);
      if (result === undefined || result.stdout.includes("True")) {
        isPending = true;
      }
    }
    return isPending;
  }
}

/** Returns when the machine is down or on its way there, or when it is up without a pending restart. */
async function untilDown(machine: Machine): Promise<void> {
  for (;;) {
    const result = await run(TRY_RESTART, machine);
    switch (result?.status) {
      // It cannot be reached; or, over ssh, its shell is going down already.
      case undefined:
      case DISCONNECTED:
      case 1:
        return;
      case 0:
        // Nothing was pending but the restart that this test has just asked for.
        await run(ABORT_RESTART, machine);
        return;
      case SHUTDOWN_IN_PROGRESS:
      case SHUTDOWN_SCHEDULED:
      case UNKNOWN_INTERFACE:
        await delay(GOING_DOWN_DELAY_MS, machine.signal);
        break;
      default:
        await delay(CHECK_DELAY_MS, machine.signal);
    }
  }
}

/** Runs a command; undefined when the machine cannot be reached. */
async function run(
  command: string,
  machine: Machine,
): Promise<{ status: number; stdout: string } | undefined> {
  let stdout = "";
  try {
    const status = await runRemoteCommand({
      ...machine,
      command,
      onStdout: (text) => stdout += text,
    });
    return { status, stdout };
  } catch (error) {
    machine.signal.throwIfAborted();
    console.log(`The machine cannot be reached: ${error}`);
    return undefined;
  }
}

/** Gives up the work when its time is over. */
async function withTimeout(
  timeoutMs: number,
  machine: Machine,
  work: (machine: Machine) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const error = new Error("Timeout waiting for machine to restart.");
  const stop = setLongTimeout(timeoutMs, () => controller.abort(error));
  const signal = AbortSignal.any([machine.signal, controller.signal]);
  try {
    await work({ ...machine, signal });
  } catch (cause) {
    machine.signal.throwIfAborted();
    await machine.ui.error(
      controller.signal.aborted
        ? error.message
        : `Error waiting for machine to restart: ${(cause as Error).message}`,
    );
    throw cause;
  } finally {
    stop();
  }
}

if (import.meta.main) serveProvisioner(new WindowsRestartProvisioner());
