// `baler completion`: prints the completion script for a shell.

import { defineCommand, singleArgument } from "../command.ts";
import { UsageError } from "../flags.ts";

const SHELLS: readonly string[] = ["bash", "zsh", "fish"];

/** Prints the completion script for a shell. */
export const completion = defineCommand({
  usage: "SHELL",
  description:
    "Prints the completion script for a shell. It completes commands, flags,\n" +
    "templates, and the names of builds and variables. SHELL is bash, zsh or fish.",
  flags: {},
  completes: SHELLS,
  notes: `For the current shell:

  source <(baler completion bash)
  source <(baler completion zsh)
  baler completion fish | source

For every shell:

  baler completion bash >> ~/.bash_completion
  baler completion zsh > DIRECTORY/_baler     (a DIRECTORY of $fpath)
  baler completion fish > ~/.config/fish/completions/baler.fish`,
  async run({ screen }, _flags, positionals) {
    const shell = singleArgument(
      positionals,
      "completion",
      `SHELL (${SHELLS.join(", ")})`,
    );
    const { completableCommands, FLAGS_BEFORE_COMMAND } = await import(
      "../completion/completion_model.ts"
    );
    const scriptOf = await loadScript(shell);
    const script = scriptOf(await completableCommands(), FLAGS_BEFORE_COMMAND);
    screen.writeRaw(script);
    return 0;
  },
});

async function loadScript(shell: string) {
  switch (shell) {
    case "bash":
      return (await import("../completion/bash.ts")).bashScript;
    case "zsh":
      return (await import("../completion/zsh.ts")).zshScript;
    case "fish":
      return (await import("../completion/fish.ts")).fishScript;
  }
  throw new UsageError(
    `no completion for shell ${JSON.stringify(shell)}; supported shells: ${
      SHELLS.join(", ")
    }`,
  );
}
