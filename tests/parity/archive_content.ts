// What is in an archive, apart from how it was packed: two archives of the
// same files have the same content, whichever program compressed them.

import { gunzipSync, inflateRawSync } from "node:zlib";

/**
 * The content of a file that a post-processor made.
 *
 * @param bytes The file.
 * @returns Texts by name for a tar or zip, the content of what is compressed,
 * the bytes as text otherwise.
 */
export function archiveContent(bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 4) {
    if (view.getUint16(0) === 0x1f8b) {
      return { gzip: archiveContent(new Uint8Array(gunzipSync(bytes))) };
    }
    if (view.getUint32(0, true) === 0x184d2204) {
      return { lz4: archiveContent(unpackedLz4(bytes, view)) };
    }
    if (view.getUint32(0) === 0x504b0304) {
      return { zip: zipEntries(bytes, view) };
    }
  }
  if (bytes.length >= 512 && text(bytes.subarray(257, 262)) === "ustar") {
    return { tar: tarEntries(bytes) };
  }
  return text(bytes);
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function tarEntries(bytes: Uint8Array): Record<string, string> {
  const entries: Record<string, string> = {};
  const field = (at: number, from: number, length: number) =>
    text(bytes.subarray(at + from, at + from + length)).replace(/[\0 ]+$/, "");
  for (let at = 0; bytes[at]; at += 512) {
    const size = parseInt(field(at, 124, 12), 8);
    const mode = parseInt(field(at, 100, 8), 8).toString(8);
    entries[`${mode} ${field(at, 0, 100)}`] = text(
      bytes.subarray(at + 512, at + 512 + size),
    );
    at += Math.ceil(size / 512) * 512;
  }
  return entries;
}

function zipEntries(bytes: Uint8Array, view: DataView): Record<string, string> {
  const entries: Record<string, string> = {};
  const end = bytes.length - 22;
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const method = view.getUint16(at + 10, true);
    const packed = view.getUint32(at + 20, true);
    const nameLength = view.getUint16(at + 28, true);
    const name = text(bytes.subarray(at + 46, at + 46 + nameLength));
    const local = view.getUint32(at + 42, true);
    const start = local + 30 + view.getUint16(local + 26, true) +
      view.getUint16(local + 28, true);
    const content = bytes.subarray(start, start + packed);
    entries[name] = text(method === 0 ? content : inflateRawSync(content));
    at += 46 + nameLength + view.getUint16(at + 30, true) +
      view.getUint16(at + 32, true);
  }
  return entries;
}

function unpackedLz4(bytes: Uint8Array, view: DataView): Uint8Array {
  const flags = bytes[4]!;
  let at = 7 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0);
  const out: number[] = [];
  for (;;) {
    const header = view.getUint32(at, true);
    at += 4;
    if (header === 0) return Uint8Array.from(out);
    const size = header & 0x7fffffff;
    const block = bytes.subarray(at, at + size);
    if (header >>> 31) out.push(...block);
    else unpackBlock(block, out);
    at += size + (flags & 16 ? 4 : 0);
  }
}

function unpackBlock(block: Uint8Array, out: number[]): void {
  let at = 0;
  const length = (short: number) => {
    let sum = short;
    if (short === 15) {
      let more;
      do {
        more = block[at++]!;
        sum += more;
      } while (more === 255);
    }
    return sum;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = length(token >> 4);
    out.push(...block.subarray(at, at + literals));
    at += literals;
    if (at >= block.length) return;
    const back = block[at]! | block[at + 1]! << 8;
    at += 2;
    for (let left = length(token & 15) + 4; left > 0; left--) {
      out.push(out[out.length - back]!);
    }
  }
}
