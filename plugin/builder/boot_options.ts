// Packer's options for what is typed at a machine that boots.

import type { ConfigProblem } from "../contract/config_error.ts";
import type { ConfigOf, Options } from "../contract/options.ts";
import { parseBootCommand } from "./boot_command.ts";

/** Packer's options for the boot command. */
export const bootOptions = {
  boot_command: {
    type: "strings",
    interpolate: false,
    description:
      "What to type when the machine boots, with `{{ .HTTPIP }}`, `{{ .HTTPPort }}`, `{{ .Name }}` and `{{ .SSHPublicKey }}`.",
  },
  boot_wait: {
    type: "duration",
    default: 10_000,
    description: "The pause before typing.",
  },
  boot_key_interval: {
    type: "duration",
    description:
      "The pause after each press and each release of a key; `PACKER_KEY_INTERVAL` or `100ms` unless given.",
  },
  boot_keygroup_interval: {
    type: "duration",
    default: 0,
    description: "A further pause after each key with its modifiers.",
  },
} as const satisfies Options;

/** What a builder gets of {@linkcode bootOptions}. */
export type BootConfig = ConfigOf<typeof bootOptions>;

/**
 * Checks boot commands: their keys, and the templates in them.
 *
 * @param commands The commands, with their paths in the configuration.
 * @param render Fills in the templates of a command, with any values.
 * @returns Every problem, with its path.
 */
export async function bootCommandProblems(
  commands: readonly { path: (string | number)[]; text: string }[],
  render: (text: string) => Promise<string>,
): Promise<ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  for (const { path, text } of commands) {
    try {
      parseBootCommand(await render(text));
    } catch (error) {
      problems.push({ path, message: (error as Error).message });
    }
  }
  return problems;
}
