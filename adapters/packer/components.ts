// The components of a plugin of Packer's: each has a process of its own, as under Packer, which serves it for
// one build.

import type { PrepareOptions } from "../../plugin/contract/builder.ts";
import { RemoteBuilder } from "../../plugin/packer_wire/builder.ts";
import { COMPONENT_ID } from "../../plugin/packer_wire/connection.ts";
import { RemotePostProcessor } from "../../plugin/packer_wire/post_processor.ts";
import { RemoteProvisioner } from "../../plugin/packer_wire/provisioner.ts";
import type { Components } from "../../plugin/sdk/components.ts";
import type { Ui } from "../../plugin/contract/ui.ts";
import { AdaptedBuilder } from "./builder.ts";
import { locateProblems } from "./config_problems.ts";
import { GoProcess, GoProcessError } from "./go_process.ts";
import {
  type Kind,
  KINDS,
  type PluginCommand,
  readPluginCommand,
} from "./plugin_command.ts";
import { PromptUi } from "./prompt_ui.ts";

/** For each kind, the method that takes the configuration, and the one that works. */
const METHODS = {
  builder: ["prepare", "run"],
  provisioner: ["prepare", "provision"],
  "post-processor": ["configure", "postProcess"],
} as const;

/**
 * The components that a plugin serves, for `serve()`.
 *
 * @param command How the plugin is started.
 */
export function componentsOf(command: PluginCommand): Components {
  return Object.fromEntries(
    KINDS.filter((kind) => command.components[kind] !== undefined)
      .map((kind) => [
        kind,
        Object.fromEntries(
          command.components[kind]!.map((served) => [
            served,
            (name: string) => startComponent(command, kind, served || name),
          ]),
        ),
      ]),
  );
}

/**
 * Any component of any plugin of Packer's, for `serve()`: the host asks for one by the JSON text of the plugin's
 * command, of the label of its log lines, and of the component's name.
 */
export function anyComponents(): Components {
  const start = (kind: Kind) => async (request: string) => {
    const { argv, label, name } = JSON.parse(request) as {
      argv: readonly string[];
      label: string;
      name: string;
    };
    const command = { ...await readPluginCommand(argv), label };
    return await startComponent(
      command,
      kind,
      servedName(command, kind, name),
      `${label}: `,
    );
  };
  return Object.fromEntries(KINDS.map((kind) => [kind, { "": start(kind) }]));
}

/** The component that is meant by a name; without one, the only one of its kind. */
function servedName(
  { components, label }: PluginCommand,
  kind: Kind,
  name: string,
): string {
  const names = components[kind] ?? [];
  if (names.includes("") || names.includes(name)) return name;
  if (name === "" && names.length === 1) return names[0]!;
  throw new Error(
    `${label} serves no ${kind} "${name}"; it serves ${
      KINDS.flatMap((kind) =>
        (components[kind] ?? []).map((name) => `${kind} "${name}"`)
      ).join(", ") || "nothing"
    }`,
  );
}

/** Starts the process of a component. */
async function startComponent(
  command: PluginCommand,
  kind: Kind,
  name: string,
  logLabel = "",
): Promise<object> {
  const args = command.argsFor(kind, name);
  const called = `${kind} ${name}`;
  const process = await GoProcess.start({
    path: command.path,
    args,
    name: command.isMulti ? [command.path, ...args].join(" ") : command.label,
    logPrefix: logLabel + (command.isMulti ? `${called}: ` : ""),
  });
  const { connection } = process;
  const client = await process.during(
    connection.dial(COMPONENT_ID),
    `when it was asked for the ${called}`,
  );
  const remote = kind === "builder"
    ? new AdaptedBuilder(new RemoteBuilder(client, connection))
    : kind === "provisioner"
    ? new RemoteProvisioner(client, connection)
    : new RemotePostProcessor(client, connection);
  const [take, work] = METHODS[kind];
  const methods = remote as unknown as Record<
    string,
    (options: unknown) => Promise<unknown>
  >;
  return new SupervisedComponent({
    [take]: async (options: PrepareOptions) => {
      try {
        return await process.during(
          methods[take]!(options),
          `while it took the configuration of the ${called}`,
        );
      } catch (error) {
        if (error instanceof GoProcessError) throw error;
        throw locateProblems(error, options.config);
      }
    },
    [work]: (options: { ui: Ui }) =>
      process.during(
        methods[work]!({ ...options, ui: new PromptUi(options.ui) }),
        `while the ${called} was at work`,
      ),
  });
}

/** A component as the host gets it: an object of a class goes by reference. */
class SupervisedComponent {
  constructor(methods: Record<string, (options: never) => unknown>) {
    Object.assign(this, methods);
  }
}
