// All cases, in groups.

import type { ParityCase } from "../case.ts";
import { builders } from "./builders.ts";
import { engine } from "./engine.ts";
import { fixes } from "./fixes.ts";
import { odd } from "./odd.ts";
import { postProcessors } from "./post_processors.ts";
import { provisioners, remote } from "./provisioners.ts";
import { selection } from "./selection.ts";
import { shellLocal } from "./shell_local.ts";
import { templates } from "./templates.ts";
import { variables } from "./variables.ts";

/** The cases by group; what Packer does with a group's is in `expected/GROUP.json`. */
export const GROUPS: Readonly<Record<string, readonly ParityCase[]>> = {
  builders,
  engine,
  fixes,
  odd,
  "post-processors": postProcessors,
  provisioners,
  remote,
  selection,
  "shell-local": shellLocal,
  templates,
  variables,
};
