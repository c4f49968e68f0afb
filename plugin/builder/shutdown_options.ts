// Packer's options for shutting a machine down once it is provisioned.

import type { ConfigOf, Options } from "../contract/options.ts";

/** Packer's options for the shutdown. */
export const shutdownOptions = {
  shutdown_command: {
    type: "string",
    description:
      "The command that shuts the machine down; without it, its power is cut.",
  },
  shutdown_timeout: {
    type: "duration",
    default: 300_000,
    description: "How long the shutdown may take.",
  },
  disable_shutdown: {
    type: "boolean",
    default: false,
    description:
      "Wait until the machine shuts down by itself, for example by a provisioner, where there is no `shutdown_command`.",
  },
} as const satisfies Options;

/** What a builder gets of {@linkcode shutdownOptions}. */
export type ShutdownConfig = ConfigOf<typeof shutdownOptions>;
