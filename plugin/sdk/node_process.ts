// What the library uses of Node's `process`, declared here: the types of a
// plugin's other packages may bring along an @types/node of any age.

/** A stream of Node's that can be written to. */
export interface NodeStream {
  _write(
    chunk: unknown,
    encoding: unknown,
    done: (error?: unknown) => void,
  ): void;
}

/** The global object `process`. */
export interface NodeProcess {
  readonly stderr: NodeStream;
  /** Returns a module of Node's, which is loaded by the first that asks for it. */
  getBuiltinModule(name: string): unknown;
}

/** The global object `process`. */
export function nodeProcess(): NodeProcess {
  return (globalThis as unknown as { process: NodeProcess }).process;
}
