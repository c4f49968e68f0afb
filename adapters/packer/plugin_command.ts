// The command line of `baler-packer`: which program of Packer's serves which components, and by which
// arguments.

import { basename } from "@std/path";

/** The kinds of component that both Packer and baler have. */
export const KINDS = ["builder", "provisioner", "post-processor"] as const;

/** One of them. */
export type Kind = typeof KINDS[number];

/** The name by which a plugin describes the component that is called like the plugin itself. */
const DEFAULT_NAME = "-packer-default-plugin-name-";

/** How a plugin of Packer's is started for its components. */
export interface PluginCommand {
  /** What it is called in the log and in errors. */
  readonly label: string;
  /** The path of the executable. */
  readonly path: string;
  /** What it serves: by kind, the names that templates use; `""` serves under any name. */
  readonly components: Readonly<Partial<Record<Kind, readonly string[]>>>;
  /**
   * The arguments that start one component.
   *
   * @param kind Its kind.
   * @param name The name that templates use.
   */
  readonly argsFor: (kind: Kind, name: string) => readonly string[];
  /** True when several components can be at work at once: their log lines need names. */
  readonly isMulti: boolean;
}

/** The command line cannot be understood, or the plugin does not tell what it serves. */
export class CommandError extends Error {}

/** What `baler-packer --help` prints. */
export const USAGE =
  `baler-packer runs a plugin of Packer's as a plugin of baler's. baler starts it itself for the
plugins of Packer's that it finds; in a template's "plugins" it stands in front:

    baler-packer PLUGIN             packer-plugin-NAME, or packer-builder-NAME,
                                    packer-provisioner-NAME, packer-post-processor-NAME
    baler-packer PLUGIN start       packer-plugin-NAME, for whatever component is asked for
    baler-packer PACKER plugin      the components that Packer itself serves, up to 1.10
    baler-packer PACKER execute     the same, from 1.11 on
    baler-packer PROGRAM ARGS...    one component: ARGS end in packer-KIND-NAME
    baler-packer --serve            whatever the host asks for
`;

/**
 * Reads the command line.
 *
 * @param words The words of the command line.
 * @throws {CommandError} When it does not say which components there are.
 */
export async function readPluginCommand(
  words: readonly string[],
): Promise<PluginCommand> {
  const [path, ...args] = words;
  if (path === undefined) {
    throw new CommandError(`no plugin is named\n${USAGE}`);
  }
  const label = words.join(" ");
  const file = basename(path).replace(/\.exe$/i, "");
  if (args.length === 1 && (args[0] === "plugin" || args[0] === "execute")) {
    return {
      label,
      path,
      components: anyName(),
      argsFor: (kind, name) => [args[0]!, `packer-${kind}-${name}`],
      isMulti: true,
    };
  }
  const plugin = /^packer-plugin-([^_.]+)/.exec(file)?.[1] ?? file;
  if (args[0] === "start") {
    const [, kind, name] = args.filter((arg) => !arg.startsWith("--"));
    if (name !== undefined && isKind(kind)) {
      return single(label, path, args, kind);
    }
    if (args.length === 1) return multi(label, path, plugin, anyName());
  }
  const component = args.length === 0 ? file : args.at(-1)!;
  const [, kind] =
    /^packer-(builder|provisioner|post-processor)-.+$/.exec(component) ?? [];
  if (isKind(kind)) return single(label, path, args, kind);
  if (args.length === 0) {
    return multi(label, path, plugin, await describe(path, plugin));
  }
  throw new CommandError(
    `${words.join(" ")} does not say which component it serves\n${USAGE}`,
  );
}

function isKind(word: string | undefined): word is Kind {
  return (KINDS as readonly (string | undefined)[]).includes(word);
}

function anyName(): PluginCommand["components"] {
  return Object.fromEntries(KINDS.map((kind) => [kind, [""]]));
}

function single(
  label: string,
  path: string,
  args: readonly string[],
  kind: Kind,
): PluginCommand {
  return {
    label,
    path,
    // As under Packer, whoever names such an executable chooses the component's name.
    components: { [kind]: [""] },
    argsFor: () => args,
    isMulti: false,
  };
}

function multi(
  label: string,
  path: string,
  plugin: string,
  components: PluginCommand["components"],
): PluginCommand {
  return {
    label,
    path,
    components,
    argsFor: (kind, name) => ["start", kind, describedName(plugin, name)],
    isMulti: true,
  };
}

/** A component is called PLUGIN-NAME in a template, or PLUGIN. */
function templateName(plugin: string, described: string): string {
  return described === DEFAULT_NAME ? plugin : `${plugin}-${described}`;
}

function describedName(plugin: string, name: string): string {
  if (name === plugin) return DEFAULT_NAME;
  return name.startsWith(`${plugin}-`) ? name.slice(plugin.length + 1) : name;
}

/** Asks a plugin for its components. */
async function describe(
  path: string,
  plugin: string,
): Promise<PluginCommand["components"]> {
  let text: string;
  try {
    const { success, stdout, stderr } = await new Deno.Command(path, {
      args: ["describe"],
      stdin: "null",
    }).output();
    const decode = (bytes: Uint8Array) =>
      new TextDecoder().decode(bytes).trim();
    if (!success) {
      throw new CommandError(
        `${path} is no plugin of Packer's: "describe" failed\n${
          decode(stderr)
        }`,
      );
    }
    text = decode(stdout);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(
      `${path} cannot be started: ${(error as Error).message}`,
    );
  }
  const listed = (description: Record<string, unknown>, key: string) =>
    Array.isArray(description[key]) ? description[key].map(String) : [];
  try {
    const description = JSON.parse(text);
    return Object.fromEntries(
      KINDS.map((kind) => [
        kind,
        listed(description, `${kind.replace("-", "_")}s`)
          .map((name) => templateName(plugin, name)),
      ]),
    );
  } catch {
    throw new CommandError(
      `${path} is no plugin of Packer's: "describe" printed ${
        JSON.stringify(text.slice(0, 200))
      }`,
    );
  }
}
