// The names of this machine's users and groups, from /etc/passwd and /etc/group.

/** The names of users and groups. */
export interface OwnerNames {
  /** The names of users by id. */
  users: Map<number, string>;
  /** The names of groups by id. */
  groups: Map<number, string>;
}

/** Reads the names of users and groups; a file that cannot be read has none. */
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
    // The first name of an id is the one that ls(1) shows.
    if (name && number && !names.has(Number(number))) {
      names.set(Number(number), name);
    }
  }
  return names;
}
