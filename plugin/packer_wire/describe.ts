// What `PLUGIN describe` prints for Packer, beside what it prints for baler.

import type { Hello } from "../rpc/protocol.ts";

/** The component that Packer addresses by the plugin's name alone. */
export const DEFAULT_COMPONENT = "-packer-default-plugin-name-";

/** The version of packer-plugin-sdk whose wire this is. */
const SDK_VERSION = "0.6.0";

/** The keys that Packer reads. */
export interface PackerDescription {
  /** The plugin's own version, which the name of its executable has, too. */
  version: string;
  sdk_version: string;
  api_version: string;
  builders: string[];
  post_processors: string[];
  provisioners: string[];
  datasources: string[];
  /** `v2`: the plugin understands `--protobuf`. */
  protocol_version: string;
}

/**
 * Describes a plugin for Packer.
 *
 * @param hello What it serves.
 */
export function describeForPacker(
  { version = "0.0.0", components }: Hello,
): PackerDescription {
  const names = (kind: string) =>
    (components[kind] ?? []).map((name) => name || DEFAULT_COMPONENT);
  return {
    version,
    sdk_version: SDK_VERSION,
    api_version: "x5.0",
    builders: names("builder"),
    post_processors: names("post-processor"),
    provisioners: names("provisioner"),
    datasources: [],
    protocol_version: "v2",
  };
}
