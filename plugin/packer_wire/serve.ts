// A plugin's process under Packer: it listens, says Packer's hello on stdout,
// serves one component on the one connection that comes, and ends with it.

import type { Builder } from "../contract/builder.ts";
import type { PostProcessor } from "../contract/post_processor.ts";
import type { Provisioner } from "../contract/provisioner.ts";
import { ProtocolError } from "../rpc/protocol.ts";
import { claimStdio } from "../sdk/stdio.ts";
import { serveBuilder } from "./builder.ts";
import { COMPONENT_ID, WireConnection } from "./connection.ts";
import { DEFAULT_COMPONENT } from "./describe.ts";
import { environment } from "./environment.ts";
import { listen } from "./listen.ts";
import type { RpcMethods } from "./net_rpc.ts";
import { servePostProcessor } from "./post_processor.ts";
import type { SpecEncoding } from "./config_spec.ts";
import { serveProvisioner } from "./provisioner.ts";

/** A plugin, as Packer can run it. */
export interface PackerPlugin {
  /** The names of its components, by kind. */
  components: Record<string, string[]>;
  /** Makes a component of it. */
  create(kind: string, name: string): Promise<object>;
  /** The arguments that Packer has given it. */
  args: readonly string[];
}

/** Overrules which hello is said: `5` is that of Packer 1.6, `5.0` that of 1.7 and newer. */
const API_VARIABLE = "BALER_PACKER_API";

/** How long Packer may take to connect, as long as it waits for the hello itself. */
const CONNECT_TIMEOUT_MS = 60_000;

/** How long the work in flight may take to clean up after Packer has exited. */
const CLEANUP_TIMEOUT_MS = 10_000;

const KINDS = ["builder", "provisioner", "post-processor"] as const;

type Kind = typeof KINDS[number];

/** What Packer has asked for. */
interface Request {
  /** One component, or one for each kind that there is. */
  components: [kind: Kind, name: string][];
  specEncoding: SpecEncoding;
  /** Whether Packer is 1.7 or newer, whose hello has the minor version, too. */
  hasMinor: boolean;
}

/**
 * Serves a plugin to Packer.
 *
 * @param plugin The plugin.
 * @returns Never, in effect: the process ends with Packer.
 */
export async function servePacker(plugin: PackerPlugin): Promise<void> {
  const { write } = claimStdio();
  for (const signal of ["SIGINT", "SIGTERM"] as const) ignore(signal);
  let request: Request;
  try {
    request = requestOf(plugin);
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
  const listener = await listen();
  const api = request.hasMinor ? "5|0" : "5";
  write(
    new TextEncoder().encode(
      `${api}|${listener.network}|${listener.address}\n`,
    ),
  );
  const timer = setTimeout(() => {
    console.error(
      `Packer did not connect within ${CONNECT_TIMEOUT_MS / 1000} s.`,
    );
    listener.close();
    Deno.exit(1);
  }, CONNECT_TIMEOUT_MS);
  const transport = await listener.accept();
  clearTimeout(timer);
  const connection = new WireConnection(transport, { role: "server" });
  const { ended } = connection.serve(
    COMPONENT_ID,
    methodsOf(plugin, request, connection),
    CONNECT_TIMEOUT_MS,
  );
  const reason = await connection.ended;
  if (reason instanceof ProtocolError) console.error(String(reason));
  const timeout = setTimeout(() => Deno.exit(1), CLEANUP_TIMEOUT_MS);
  await ended;
  clearTimeout(timeout);
  Deno.exit(0);
}

function methodsOf(
  plugin: PackerPlugin,
  { components, specEncoding }: Request,
  connection: WireConnection,
): RpcMethods {
  const methods: RpcMethods = new Map();
  for (const [kind, name] of components) {
    const create = <T>() => plugin.create(kind, name) as Promise<T>;
    switch (kind) {
      case "builder":
        serveBuilder(
          { create: () => create<Builder>(), specEncoding },
          connection,
          methods,
        );
        break;
      case "provisioner":
        serveProvisioner(
          { create: () => create<Provisioner>(), specEncoding },
          connection,
          methods,
        );
        break;
      case "post-processor":
        servePostProcessor(
          { create: () => create<PostProcessor>(), specEncoding },
          connection,
          methods,
        );
    }
  }
  return methods;
}

/**
 * What Packer has asked for with its arguments: `start KIND [--protobuf] NAME`,
 * or none for an executable called `packer-KIND-NAME`.
 */
function requestOf({ args, components }: PackerPlugin): Request {
  const isProtobuf = args.includes("--protobuf");
  const words = args.filter((arg) => arg !== "--protobuf");
  const api = environment(API_VARIABLE);
  const hasMinor = api === undefined
    ? words.length > 0 || isProtobuf || isInstalled()
    : api !== "5";
  const specEncoding = isProtobuf
    ? "protobuf"
    : hasMinor
    ? "gob"
    : "gob without blocks";
  if (words.length === 0) {
    return {
      components: KINDS.flatMap((kind) => {
        const names = components[kind] ?? [];
        const name = nameOfExecutable(kind, names);
        return name === undefined ? [] : [[kind, name] as [Kind, string]];
      }),
      specEncoding,
      hasMinor,
    };
  }
  const [word, wanted = "", name = ""] = words;
  // Packer 1.6's own library has the kinds in the plural.
  const kind = KINDS.find((kind) => kind === wanted || `${kind}s` === wanted);
  const own = name === DEFAULT_COMPONENT ? "" : name;
  const names = kind === undefined ? [] : components[kind] ?? [];
  if (word !== "start" || kind === undefined) {
    throw new Error(
      `Packer has started this plugin with "${
        args.join(" ")
      }": it can start a ${KINDS.join(", a ")}`,
    );
  }
  const found = names.find((one) => one === own) ??
    names.find((one) => one === "");
  if (found === undefined) {
    throw new Error(
      `this plugin has no ${kind} "${name}"; it has ${
        names.map((one) => `"${one}"`).join(", ") || "none"
      }`,
    );
  }
  return {
    components: [[kind, found]],
    specEncoding,
    hasMinor,
  };
}

/** The component that an executable called `packer-KIND-NAME` stands for. */
function nameOfExecutable(
  kind: Kind,
  names: readonly string[],
): string | undefined {
  if (names.length <= 1) return names[0];
  const [, own] = new RegExp(`packer-${kind}-(.+?)(\\.exe)?$`)
    .exec(executable()) ?? [];
  return names.find((name) => name === own) ??
    names.find((name) => name === "");
}

/** Whether this is an executable of Packer's plugin folder, `packer-plugin-NAME_vX.Y.Z_x5.0_OS_ARCH`. */
function isInstalled(): boolean {
  return /_x5\.\d+_/.test(executable());
}

function executable(): string {
  try {
    return Deno.execPath();
  } catch {
    return "";
  }
}

/** Ctrl-C in a terminal is Packer's to handle, which tells by the wire. */
function ignore(signal: Deno.Signal): void {
  try {
    Deno.addSignalListener(signal, () => {});
  } catch {
    // Windows knows few signals.
  }
}
