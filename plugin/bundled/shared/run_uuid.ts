// The id of the run of baler that this process belongs to.

const VARIABLE = "PACKER_RUN_UUID";

/**
 * Reads the id of the run, which the host passes in the environment as Packer does.
 *
 * @returns The id; empty outside of a run, or without permission to read it.
 */
export async function runUuid(): Promise<string> {
  const { state } = await Deno.permissions.query({
    name: "env",
    variable: VARIABLE,
  });
  return state === "granted" ? Deno.env.get(VARIABLE) ?? "" : "";
}
