// Writes a tar archive in GNU's format: Google Cloud imports disk images in no
// other, and npm's libraries write only POSIX's. Without times, as in Packer, so
// that the same files make the same archive.

/** A file to put into a tar archive. */
export interface TarEntry {
  /** Its name in the archive. */
  name: string;
  /** Its permission bits. */
  mode: number;
  /** Its size in bytes. */
  size: number;
  /** The id of its owner. */
  uid: number;
  /** The id of its group. */
  gid: number;
  /** The name of its owner, if there is one. */
  userName?: string;
  /** The name of its group, if there is one. */
  groupName?: string;
  /** Its content. */
  content: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

const BLOCK_BYTES = 512;
const MAX_NAME_BYTES = 100;

/**
 * Writes a tar archive.
 *
 * @param entries The files, which are read one after the other.
 * @returns The archive's bytes.
 * @throws {Error} When the size of a file has changed.
 */
export async function* tar(
  entries: Iterable<TarEntry>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (const entry of entries) {
    const name = new TextEncoder().encode(entry.name);
    if (name.length > MAX_NAME_BYTES) {
      const content = new Uint8Array(name.length + 1);
      content.set(name);
      yield header(new TextEncoder().encode("././@LongLink"), "L", {
        mode: 0,
        uid: 0,
        gid: 0,
        size: content.length,
      });
      yield content;
      yield padding(content.length);
    }
    yield header(name, "0", entry);
    let length = 0;
    for await (const chunk of entry.content) {
      length += chunk.length;
      yield chunk;
    }
    if (length !== entry.size) {
      throw new Error(
        `${entry.name} has changed while it was archived: ${length} bytes instead of ${entry.size}`,
      );
    }
    yield padding(length);
  }
  yield new Uint8Array(2 * BLOCK_BYTES);
}

function padding(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array((BLOCK_BYTES - length % BLOCK_BYTES) % BLOCK_BYTES);
}

function header(
  name: Uint8Array,
  type: string,
  { mode, uid, gid, size, userName = "", groupName = "" }: Omit<
    TarEntry,
    "name" | "content"
  >,
): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK_BYTES);
  const text = (at: number, value: string, length: number) =>
    block.set(new TextEncoder().encode(value).subarray(0, length), at);
  const number = (at: number, value: number, length: number) =>
    block.set(numberField(value, length), at);
  block.set(name.subarray(0, MAX_NAME_BYTES), 0);
  number(100, mode, 8);
  number(108, uid, 8);
  number(116, gid, 8);
  number(124, size, 12);
  number(136, 0, 12);
  text(148, "        ", 8);
  text(156, type, 1);
  text(257, "ustar  \0", 8);
  if (type !== "L") {
    text(265, userName, 32);
    text(297, groupName, 32);
    number(329, 0, 8);
    number(337, 0, 8);
  }
  const sum = block.reduce((sum, byte) => sum + byte, 0);
  text(148, `${sum.toString(8).padStart(6, "0")}\0 `, 8);
  return block;
}

// In octal digits. A number that needs more digits, such as a size from 8 GiB, is
// written in binary with the highest bit set, as GNU does.
function numberField(value: number, length: number): Uint8Array {
  const digits = value.toString(8);
  if (digits.length < length) {
    return new TextEncoder().encode(`${digits.padStart(length - 1, "0")}\0`);
  }
  const field = new Uint8Array(length);
  let rest = BigInt(value);
  for (let at = length - 1; at > 0; at--) {
    field[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  field[0] = 0x80;
  return field;
}
