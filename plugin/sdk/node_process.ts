// Declares the parts of Node's `process` that the SDK uses: other packages of a
// plugin may depend on any version of @types/node.

/** A writable stream of Node. */
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
  /** Returns a module of Node, which is loaded on demand. */
  getBuiltinModule(name: string): unknown;
}

/** The global object `process`. */
export function nodeProcess(): NodeProcess {
  return (globalThis as unknown as { process: NodeProcess }).process;
}
