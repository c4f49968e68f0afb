// The `baler` command: runs the command that the first argument names. Exit
// code 0 is success, 1 a failure, 2 a command line that was not understood.

// Statically imported is only what starts a plugin's process, and what that
// process begins with. The rest is loaded when it is needed.
import "./host/cli/exit_signals.ts";
import { COMMANDS } from "./host/cli/registry.ts";
import { discardPrelaunched } from "./host/process/prelaunch.ts";
import { prelaunchBundled } from "./host/cli/prelaunch_bundled.ts";
import { serveBundled } from "./plugin/bundled/mod.ts";

if (Deno.args[0] === "plugin") {
  // This process is the bundled plugin.
  if (!await serveBundled(Deno.args.slice(1))) {
    console.error(`baler has no plugin "${Deno.args[1]}" of its own`);
    Deno.exit(2);
  }
} else {
  const at = Deno.args.findIndex((word) => !word.startsWith("-"));
  const command = Deno.args[at] ?? "";
  prelaunchBundled(command, Deno.args.slice(at + 1));
  const [{ runCommandLine }] = await Promise.all([
    import("./host/cli/command_line.ts"),
    // Loaded at the same time, since the command line needs it next.
    Object.hasOwn(COMMANDS, command) && COMMANDS[command]!.load(),
  ]);
  Deno.exitCode = await runCommandLine(Deno.args);
  await discardPrelaunched();
  // A question that nobody has answered would keep the process alive.
  Deno.exit();
}
