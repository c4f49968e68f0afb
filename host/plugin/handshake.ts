// The hello: the first line of a plugin says what it is, and the host answers
// with the protocol version that both speak.

import { FrameReader } from "../../plugin/rpc/frame_reader.ts";
import {
  DEFAULT_LIMITS,
  PROTOCOL_VERSIONS,
  ProtocolError,
} from "../../plugin/rpc/protocol.ts";
import { VERSION } from "../../plugin/common/version.ts";
import { escapeControlChars } from "../text/escape_control_chars.ts";

/** What a plugin says of itself when it starts. */
export interface PluginInfo {
  /** The protocol version that was chosen. */
  protocol: number;
  /** The version of the library that it is written with. */
  sdk: string;
  /** Its own version, where it has one. */
  version?: string;
  /** By kind, the names of its components; "" serves under any name. */
  components: Record<string, string[]>;
}

const NEWLINE = 10;

/** How many protocol versions a plugin may say that it speaks. */
const MOST_PROTOCOLS = 100;

/** Reads the hello of a plugin. */
export class HandshakeReader {
  readonly #lines: FrameReader;

  /**
   * @param onText Takes each line before the hello that is a text.
   */
  constructor(onText: (line: Uint8Array) => void) {
    this.#lines = new FrameReader(DEFAULT_LIMITS, onText);
  }

  /**
   * Takes what was read from the plugin.
   *
   * @param chunk Bytes, in pieces of any size; not kept.
   * @returns The hello, with what is behind it; undefined until it is there.
   * @throws {ProtocolError} When something else is in its place.
   */
  push(
    chunk: Uint8Array,
  ): { json: Record<string, unknown>; rest: Uint8Array } | undefined {
    let rest = chunk;
    // Line by line: what is behind the hello is the connection's.
    while (rest.length > 0) {
      const end = rest.indexOf(NEWLINE) + 1 || rest.length;
      let hello: Record<string, unknown> | undefined;
      this.#lines.push(rest.subarray(0, end), ({ json }) => hello = json);
      rest = rest.subarray(end);
      if (hello !== undefined) return { json: hello, rest };
    }
  }

  /** What has come of a line that was perhaps to be it, as the end of a sentence. */
  get partialLine(): string {
    const text = this.#lines.unfinished;
    if (text === "") return "";
    const shown = text.length > 200 ? `${text.slice(0, 200)}...` : text;
    return `, but only ${escapeControlChars(shown)}`;
  }
}

/**
 * What a plugin says of itself in its hello, or why it is refused.
 *
 * @param json The hello.
 * @param name What the plugin is called.
 * @throws {ProtocolError} When it is no hello.
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
    throw new ProtocolError("its first line is no hello");
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

/** The line with which the host answers a hello. */
export function encodeHandshakeReply(
  answer: PluginInfo | { refuse: string },
): Uint8Array {
  const json = "refuse" in answer
    ? { refuse: answer.refuse }
    : { welcome: answer.protocol, host: `baler ${VERSION}` };
  return new TextEncoder().encode(`{"json":${JSON.stringify(json)}}\n`);
}

function isProtocols(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MOST_PROTOCOLS &&
    value.every(Number.isSafeInteger);
}

function isComponents(value: unknown): value is Record<string, string[]> {
  return typeof value === "object" && value !== null &&
    Object.values(value).every((names) =>
      Array.isArray(names) && names.every((name) => typeof name === "string")
    );
}
