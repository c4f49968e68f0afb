// The references of one connection: those that the peer holds (exports) and those
// that this side holds (imports).

import type { Limits } from "../protocol.ts";
import { type ExportPeer, ExportTable } from "./export_table.ts";
import { type ImportPeer, ImportTable } from "./import_table.ts";

/** What references need of their connection. */
export interface Peer extends ExportPeer, ImportPeer {}

/** The references of one connection. */
export class References {
  /** The values of this side that the peer holds. */
  readonly exports: ExportTable;
  /** The values of the peer that this side holds. */
  readonly imports: ImportTable;

  /**
   * @param peer The peer.
   * @param limits How many references each side may hold.
   */
  constructor(peer: Peer, limits: Limits) {
    this.exports = new ExportTable(peer, limits);
    this.imports = new ImportTable(peer, limits);
  }

  /** Removes all references when the connection closes. */
  close(reason: Error): void {
    this.imports.close(reason);
    this.exports.close(reason);
  }
}
