// The process groups of this host in memory that other threads can read: the
// watchdog kills them while the main thread is blocked.

/** How many groups the table has room for. The reaper also kills those that are not in it. */
const MAX_GROUPS = 4096;

/** The process ids of the groups' leaders; 0 in a free slot. */
export const groupTable: Int32Array<SharedArrayBuffer> = new Int32Array(
  new SharedArrayBuffer(MAX_GROUPS * Int32Array.BYTES_PER_ELEMENT),
);

/**
 * Adds a group.
 *
 * @param group The process id of its leader.
 */
export function addGroup(group: number): void {
  const slot = groupTable.indexOf(0);
  if (slot !== -1) Atomics.store(groupTable, slot, group);
}

/**
 * Removes a group that has exited.
 *
 * @param group The process id of its leader.
 */
export function removeGroup(group: number): void {
  const slot = groupTable.indexOf(group);
  if (slot !== -1) Atomics.store(groupTable, slot, 0);
}
