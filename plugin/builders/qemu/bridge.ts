// A machine on a bridge: this machine's address there, and the machine's own.

import { poll } from "../../builder/mod.ts";
import type { Qmp } from "./qmp.ts";

/** The flag of a complete entry of the kernel's ARP table (ATF_COM). */
const COMPLETE = 0x02;

/**
 * This machine's address on a bridge.
 *
 * @param bridge The bridge.
 * @throws {Error} When there is no such bridge, or it has no IPv4 address.
 */
export function bridgeAddress(bridge: string): string {
  const addresses = Deno.networkInterfaces().filter(({ name }) =>
    name === bridge
  );
  if (addresses.length === 0) throw new Error(`there is no bridge ${bridge}`);
  const found = addresses.find(({ family }) => family === "IPv4");
  if (found) return found.address;
  throw new Error(`the bridge ${bridge} has no IPv4 address`);
}

/**
 * Waits until the kernel knows the machine's address on a bridge.
 *
 * @param qmp The machine's QMP connection.
 * @param bridge The bridge.
 * @param timeoutMs How long, in milliseconds.
 * @param signal Stops when aborted.
 * @throws {Error} When the time is over.
 */
export async function guestAddress(
  qmp: Qmp,
  bridge: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string> {
  const network = String(
    await qmp.execute("human-monitor-command", {
      "command-line": "info network",
    }),
  );
  const mac = /macaddr=([0-9a-f:]{17})/i.exec(network)?.[1];
  if (mac === undefined) throw new Error("the machine has no network device");
  return await poll(
    async () =>
      addressInArpTable(
        await Deno.readTextFile("/proc/net/arp"),
        mac.toLowerCase(),
        bridge,
      ),
    {
      what: `the machine's address on the bridge ${bridge}`,
      timeoutMs,
      signal,
    },
  );
}

/**
 * Finds an address in the kernel's ARP table.
 *
 * @param table The content of `/proc/net/arp`.
 * @param mac The hardware address, in lower case.
 * @param device The network device.
 * @returns The IP address; undefined when it is not there, or not yet complete.
 */
export function addressInArpTable(
  table: string,
  mac: string,
  device: string,
): string | undefined {
  for (const line of table.split("\n").slice(1)) {
    const [address, , flags, hardware, , on] = line.trim().split(/\s+/);
    if (
      on === device && hardware?.toLowerCase() === mac &&
      (Number(flags) & COMPLETE) !== 0
    ) return address;
  }
}
