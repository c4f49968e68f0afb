// `baler console`: evaluates {{...}} expressions interactively.

import { constants, fstatSync } from "node:fs";
import { PACKER_VERSION } from "../../config/environment.ts";
import { defineCommand } from "../command.ts";
import { ConsoleSession } from "../console/session.ts";
import { UsageError } from "../flags.ts";
import { readText } from "../../json/read_text_file.ts";
import {
  parseTemplate,
  readTemplate,
  type Template,
} from "../../template/template.ts";
import type { Screen } from "../../terminal/screen.ts";
import type { HostUi } from "../../terminal/ui.ts";
import { resolveVariables } from "../../template/variables.ts";
import { VARIABLE_FLAGS, variablesOf } from "./template_flags.ts";

/** Evaluates {{...}} expressions interactively. */
export const console = defineCommand({
  usage: "[options] [TEMPLATE]",
  description:
    "Evaluates {{...}} expressions, with the variables of a template where one is\n" +
    "given. On a terminal it prompts for each line; from a file it evaluates each line.\n" +
    "From a pipe it reads all lines and prints the result of the last one.",
  flags: VARIABLE_FLAGS,
  completes: "template",
  notes: `Examples:

  baler console template.json
  echo '{{isotime "2006-01-02"}}' | baler console
  echo '{{user \`name\`}}' | baler console -var name=web template.json

"variables" lists all variables, "help" shows what can be typed, "exit" quits. A
required variable that is not set is empty here.

Exit code:

  0, also when a line cannot be interpolated; 1 when the template cannot be
  read, 2 when the command line is not valid.`,
  async run({ ui, redactor, screen }, flags, positionals) {
    if (positionals.length > 1) {
      throw new UsageError(
        `expected one TEMPLATE at most, got ${positionals.length} arguments: ${
          positionals.join(" ")
        }`,
      );
    }
    if (positionals[0] === "-") {
      throw new UsageError(
        "the console reads its lines from stdin; the template must be a file",
      );
    }
    const template = await (positionals[0] === undefined
      ? parseTemplate("{}", "<stdin>", { syntaxOnly: true })
      : readTemplate(positionals[0], { syntaxOnly: true }));
    const startedAt = new Date();
    const { values, sensitive } = await resolveVariables(
      withoutRequired(template),
      { ...variablesOf(flags), startedAt },
    );
    redactor.add(sensitive.map((name) =>
      values[name] ?? ""
    ));
    const session = new ConsoleSession({
      userVariables: values,
      templatePath: template.path,
      coreVersion: PACKER_VERSION,
      initTime: startedAt,
    });
    if (isPipe()) await answerPiped(session, ui);
    else {
      await answerTyped(
        session,
        ui,
        screen,
      );
    }
    return 0;
  },
});

/** Returns the template with "" as the default of each required variable. */
function withoutRequired(template: Template): Template {
  const variables = new Map(
    [...template.variables].map(([name, value]) => [name, value ?? ""]),
  );
  return { ...template, variables };
}

async function answerTyped(
  session: ConsoleSession,
  ui: HostUi,
  screen: Screen,
): Promise<void> {
  const { typedLines } = await import("../console/line_editor.ts");
  const isTerminal = screen.isTerminal && Deno.stdin.isTerminal();
  const lines = typedLines(session, isTerminal && !ui.isMachineReadable);
  for await (const line of lines) {
    const { text, isError, isEnd } = session.answer(line);
    if (isEnd) return;
    if (isError) refuse(ui, text);
    else if (text !== "") ui.say(text);
    // The prompt is not written by the screen.
    await screen.flush();
  }
}

/** Whether stdin is a pipe. */
function isPipe(): boolean {
  // By its mode: Deno 2.4 does not report that a descriptor is a FIFO.
  return (fstatSync(0).mode & constants.S_IFMT) === constants.S_IFIFO ||
    Deno.build.os === "windows" && !Deno.stdin.isTerminal();
}

// Prints only the last result, as Packer does, so that a script can read one value.
async function answerPiped(session: ConsoleSession, ui: HostUi): Promise<void> {
  const input = await readText("-", "console's input");
  const lines = input.split("\n");
  if (lines.at(-1) === "") lines.pop();
  let last = "";
  for (const line of lines) {
    const { text, isError } = session.answer(line);
    if (isError) refuse(ui, text);
    last = isError ? "" : text;
  }
  ui.message(last);
}

// A line that cannot be evaluated is not an error of the command: as in Packer the
// exit code is 0, and the event is that of every other answer.
function refuse(ui: HostUi, text: string): void {
  if (ui.isMachineReadable) ui.say(text);
  else ui.error(text);
}
