// The `baler` command: picks the word that was asked for, shows what went
// wrong, and says with its exit code how it went: 0 well, 1 not, 2 not
// understood.

// What is imported here V8 keeps compiled from one run to the next: what a
// plugin's process begins with, and what starts it. The rest is loaded when it
// is needed.
import { COMMANDS } from "./host/cli/registry.ts";
import { discardPrelaunched } from "./host/process/prelaunch.ts";
import { prelaunchBundled } from "./host/cli/prelaunch_bundled.ts";
import { serveBundled } from "./plugin/bundled/mod.ts";

if (Deno.args[0] === "plugin") {
  // The plugin that comes with baler.
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
    // It will be called for: meanwhile it is loaded.
    Object.hasOwn(COMMANDS, command) && COMMANDS[command]!.load(),
  ]);
  Deno.exitCode = await runCommandLine(Deno.args);
  await discardPrelaunched();
  // Nothing is left to wait for: not a question that nobody answered, either.
  Deno.exit();
}
