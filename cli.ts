// The `baler` command: runs the command that the first argument names. Exits with
// 0 on success, 1 on failure, 2 for an invalid command line.

// The static imports are only the start-up path of plugin processes and of their
// launch; everything else is loaded on demand with import().
import "./host/cli/exit_signals.ts";
import { COMMANDS } from "./host/cli/registry.ts";
import { discardPrelaunched } from "./host/process/prelaunch.ts";
import { prelaunchBundled } from "./host/cli/prelaunch_bundled.ts";
import { serveBundled } from "./plugin/bundled/mod.ts";

if (Deno.args[0] === "plugin") {
  // This process is the bundled plugin.
  if (!await serveBundled(Deno.args.slice(1))) {
    console.error(`baler bundles no plugin "${Deno.args[1]}"`);
    Deno.exit(2);
  }
} else {
  const at = Deno.args.findIndex((arg) => !arg.startsWith("-"));
  const command = Deno.args[at] ?? "";
  prelaunchBundled(command, Deno.args.slice(at + 1));
  const [{ runCommandLine }] = await Promise.all([
    import("./host/cli/command_line.ts"),
    // Loaded at the same time, since the command line needs it next.
    Object.hasOwn(COMMANDS, command) && COMMANDS[command]!.load(),
  ]);
  Deno.exitCode = await runCommandLine(Deno.args);
  await discardPrelaunched();
  // A pending read of stdin, of an unanswered question, would keep the process alive.
  Deno.exit();
}
