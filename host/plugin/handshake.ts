// The handshake: the first line of a plugin, its `hello`, describes the plugin,
// and the host replies with the protocol version that both support.

import { FrameReader } from "../../plugin/rpc/frame_reader.ts";
import {
  DEFAULT_LIMITS,
  PROTOCOL_VERSIONS,
  ProtocolError,
} from "../../plugin/rpc/protocol.ts";
import { VERSION } from "../../plugin/common/version.ts";
import { escapeControlChars } from "../text/escape_control_chars.ts";

/** The description of a plugin in its hello. */
export interface PluginInfo {
  /** The protocol version that was chosen. */
  protocol: number;
  /** The version of the SDK that it is written with. */
  sdk: string;
  /** Its own version, if it has one. */
  version?: string;
  /** The names of its components by kind; "" stands for any name. */
  components: Record<string, string[]>;
}

const NEWLINE = 10;

/** How many protocol versions a hello may list. */
const MAX_PROTOCOLS = 100;

/** Reads the hello of a plugin. */
export class HandshakeReader {
  readonly #lines: FrameReader;

  /**
   * @param onText Called with each line before the hello that is no message.
   */
  constructor(onText: (line: Uint8Array) => void) {
    this.#lines = new FrameReader(DEFAULT_LIMITS, onText);
  }

  /**
   * Reads a chunk of the plugin's stdout.
   *
   * @param chunk Bytes of any length; the memory may be reused after the call.
   * @returns The hello and the bytes after it; undefined until it is complete.
   * @throws {ProtocolError} When the first message is malformed.
   */
  push(
    chunk: Uint8Array,
  ): { json: Record<string, unknown>; rest: Uint8Array } | undefined {
    let rest = chunk;
    // Line by line: the bytes after the hello belong to the connection.
    while (rest.length > 0) {
      const end = rest.indexOf(NEWLINE) + 1 || rest.length;
      let hello: Record<string, unknown> | undefined;
      this.#lines.push(rest.subarray(0, end), ({ json }) => hello = json);
      rest = rest.subarray(end);
      if (hello !== undefined) return { json: hello, rest };
    }
  }

  /** The incomplete first line, as the end of an error message. */
  get partialLine(): string {
    const text = this.#lines.unfinished;
    if (text === "") return "";
    const shown = text.length > 200 ? `${text.slice(0, 200)}...` : text;
    return `; it wrote only the incomplete line ${escapeControlChars(shown)}`;
  }
}

/**
 * Parses a hello.
 *
 * @param json The first message.
 * @param name The plugin's name in errors.
 * @returns The description of the plugin, or the reason why it is refused.
 * @throws {ProtocolError} When the message is not a hello.
 */
export function parseHello(
  json: Record<string, unknown>,
  name: string,
): PluginInfo | { refuse: string } {
  const { hello, protocols, sdk, version, components } = json;
  if (
    hello !== "baler" || !isProtocols(protocols) ||
    typeof sdk !== "string" || !isComponents(components)
  ) {
    throw new ProtocolError("its first message is not a handshake");
  }
  const common = PROTOCOL_VERSIONS.filter((one) => protocols.includes(one));
  if (common.length === 0) {
    const isOlder = Math.max(...protocols) < Math.max(...PROTOCOL_VERSIONS);
    return {
      refuse: `baler ${VERSION} speaks protocol ${
        PROTOCOL_VERSIONS.join(", ")
      }, ${name} speaks ${protocols.join(", ")}: upgrade ${
        isOlder ? "the plugin" : "baler"
      }`,
    };
  }
  return {
    protocol: Math.max(...common),
    sdk,
    components,
    ...(typeof version === "string" ? { version } : {}),
  };
}

/** Encodes the host's reply to a hello. */
export function encodeHandshakeReply(
  answer: PluginInfo | { refuse: string },
): Uint8Array {
  const json = "refuse" in answer
    ? { refuse: answer.refuse }
    : { welcome: answer.protocol, host: `baler ${VERSION}` };
  return new TextEncoder().encode(`{"json":${JSON.stringify(json)}}\n`);
}

function isProtocols(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MAX_PROTOCOLS &&
    value.every(Number.isSafeInteger);
}

function isComponents(value: unknown): value is Record<string, string[]> {
  return typeof value === "object" && value !== null &&
    Object.values(value).every((names) =>
      Array.isArray(names) && names.every((name) => typeof name === "string")
    );
}
