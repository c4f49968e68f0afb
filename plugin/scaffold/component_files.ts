// The source and the test of a new component, by its kind.

import { builderFiles } from "./builder_files.ts";
import { commandFiles } from "./command_files.ts";
import { postProcessorFiles } from "./post_processor_files.ts";
import { provisionerFiles } from "./provisioner_files.ts";

/** The kinds of component that a new plugin can have. */
export const COMPONENT_KINDS = [
  "builder",
  "provisioner",
  "post-processor",
  "command",
] as const;

/** A kind of component. */
export type ComponentKind = typeof COMPONENT_KINDS[number];

/** What a new component consists of. */
export interface KindFiles {
  /** Its module. */
  readonly source: string;
  /** The test of it. */
  readonly test: string;
  /** Its section of the README. */
  readonly readme: string;
}

/** The files of a new component. */
export interface ComponentFiles extends KindFiles {
  /** The name of its class. */
  readonly className: string;
  /** The key of `serve` for its kind, as TypeScript has it. */
  readonly key: string;
  /** The name of its module. */
  readonly module: string;
  /** The name of its test's module. */
  readonly testModule: string;
}

const FILES: Readonly<Record<ComponentKind, (className: string) => KindFiles>> =
  {
    builder: builderFiles,
    provisioner: provisionerFiles,
    "post-processor": postProcessorFiles,
    command: commandFiles,
  };

/**
 * Returns the files of a new component.
 *
 * @param kind Its kind.
 * @param name The plugin's name, such as `"custom-cloud"`.
 */
export function componentFiles(
  kind: ComponentKind,
  name: string,
): ComponentFiles {
  const className = pascalCase(`${name}-${kind}`);
  const stem = kind.replace("-", "_");
  return {
    className,
    key: kind.includes("-") ? JSON.stringify(kind) : kind,
    module: `${stem}.ts`,
    testModule: `${stem}_test.ts`,
    ...FILES[kind](className),
  };
}

function pascalCase(name: string): string {
  return name.split("-").map((word) =>
    `${word[0]!.toUpperCase()}${word.slice(1)}`
  ).join("");
}
