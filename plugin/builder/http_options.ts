// Packer's options for the HTTP server that a machine installs itself from,
// and the step that runs it.

import { resolve } from "@std/path";
import type { ConfigProblem } from "../contract/config_error.ts";
import type { ConfigOf, Options } from "../contract/options.ts";
import { HttpServer } from "./http_server.ts";
import { portRangeProblems } from "./ports.ts";
import type { Step } from "./steps.ts";

/** Packer's options for the HTTP server. */
export const httpOptions = {
  http_directory: {
    type: "string",
    description: "A directory to serve to the machine by HTTP.",
  },
  http_content: {
    type: "map",
    description: "Contents to serve, by their paths, in place of a directory.",
  },
  http_bind_address: {
    type: "string",
    default: "0.0.0.0",
    description: "The address that the HTTP server listens on.",
  },
  http_port_min: {
    type: "number",
    default: 8000,
    description: "The lowest port of the HTTP server.",
  },
  http_port_max: {
    type: "number",
    default: 9000,
    description: "The highest port of the HTTP server.",
  },
} as const satisfies Options;

/** What a builder gets of {@linkcode httpOptions}. */
export type HttpConfig = ConfigOf<typeof httpOptions>;

/**
 * Checks what one option alone cannot tell.
 *
 * @param config The configuration.
 * @returns Every problem, with its path.
 */
export function httpProblems(config: HttpConfig): ConfigProblem[] {
  const problems = portRangeProblems(config, "http_port_min", "http_port_max");
  if (config.http_directory && config.http_content) {
    problems.push({
      path: ["http_content"],
      message: "http_directory and http_content cannot be given together",
    });
  }
  return problems;
}

/** What {@linkcode httpServerStep} adds to the state of a run. */
export interface HttpState {
  /** The server; none where there is nothing to serve. */
  http?: HttpServer;
}

/**
 * The step that serves `http_directory` or `http_content` until the end of the
 * run.
 *
 * @param config The configuration.
 * @param workingDirectory The directory of relative paths.
 */
export function httpServerStep(
  config: HttpConfig,
  workingDirectory: string,
): Step<HttpState> {
  const { http_directory, http_content } = config;
  return {
    name: "StepHTTPServer",
    run: async (state, { ui }) => {
      if (!http_directory && !http_content) return;
      state.http = new HttpServer({
        directory: http_directory && resolve(workingDirectory, http_directory),
        content: http_content,
        hostname: config.http_bind_address,
        portMin: config.http_port_min,
        portMax: config.http_port_max,
      });
      await ui.say(`Starting HTTP server on port ${state.http.port}`);
    },
    cleanup: async ({ http }) => await http?.[Symbol.asyncDispose](),
  };
}
