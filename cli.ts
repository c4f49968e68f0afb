// The `baler` command: picks the word that was asked for, shows what went
// wrong, and says with its exit code how it went: 0 well, 1 not, 2 not
// understood.

if (Deno.args[0] === "plugin") {
  // The plugin that comes with baler: it has to start fast, and loads nothing of
  // the host.
  const { serveBundled } = await import("./plugin/bundled/mod.ts");
  if (!await serveBundled(Deno.args.slice(1))) {
    console.error(`baler has no plugin "${Deno.args[1]}" of its own`);
    Deno.exit(2);
  }
} else {
  const { runCommandLine } = await import("./host/command_line.ts");
  Deno.exitCode = await runCommandLine(Deno.args);
  // Nothing is left to wait for: not a question that nobody answered, either.
  Deno.exit();
}
