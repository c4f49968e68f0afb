// Where the payload of a forwarded result is stored. To remove a way of storing it,
// delete its file and its line here.

import type { Transport } from "../transport.ts";
import type { PayloadPolicy } from "./payload.ts";
import { pooledPayloads } from "./pooled_payload.ts";
import { splicedPayloads } from "./spliced_payload.ts";

/**
 * Returns the policy for the payloads of forwarded results that arrive over a
 * transport: the first of these that accepts one stores it.
 */
export function forwardedPayloads({ splice }: Transport): PayloadPolicy {
  const policies: readonly PayloadPolicy[] = [
    ...splice === undefined ? [] : [splicedPayloads(splice)],
    pooledPayloads(),
  ];
  return (header) => {
    for (const policy of policies) {
      const payload = policy(header);
      if (payload !== undefined) return payload;
    }
  };
}
