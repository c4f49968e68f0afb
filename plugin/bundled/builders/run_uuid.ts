// The name of the run of baler that this process is a part of.

const VARIABLE = "PACKER_RUN_UUID";

/**
 * The name that the host gave its run, in the environment as Packer does.
 *
 * @returns The name; empty outside of a run, or where the environment may not be read.
 */
export async function runUuid(): Promise<string> {
  const { state } = await Deno.permissions.query({
    name: "env",
    variable: VARIABLE,
  });
  return state === "granted" ? Deno.env.get(VARIABLE) ?? "" : "";
}
