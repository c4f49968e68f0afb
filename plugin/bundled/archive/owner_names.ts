// The names of a machine's users and groups by their numbers, where the
// machine keeps them in files.

/** Finds the names of users and groups. */
export interface OwnerNames {
  /** The users' names by their numbers. */
  users: Map<number, string>;
  /** The groups' names by their numbers. */
  groups: Map<number, string>;
}

/**
 * Reads the names of this machine's users and groups; there are none where it
 * keeps no such files, or they may not be read.
 */
export async function ownerNames(): Promise<OwnerNames> {
  const [users, groups] = await Promise.all(
    ["/etc/passwd", "/etc/group"].map(namesIn),
  );
  return { users: users!, groups: groups! };
}

async function namesIn(path: string): Promise<Map<number, string>> {
  const text = await Deno.readTextFile(path).catch(() => "");
  const names = new Map<number, string>();
  for (const line of text.split("\n")) {
    const [name, , number] = line.split(":");
    // The first name of a number is the one that counts.
    if (name && number && !names.has(Number(number))) {
      names.set(Number(number), name);
    }
  }
  return names;
}
