// An ISO 9660 image with Joliet names, for cd_files and cd_content: cloud-init's
// seed, or the answers of an installer. No other program is needed for it.
// Source: ECMA-119 (ISO 9660) and Microsoft's Joliet specification.

/** The size of a sector, in bytes. */
const SECTOR_BYTES = 2048;

/** The first sector behind the system area, where the volume descriptors are. */
const FIRST_DESCRIPTOR = 16;

/** The most characters of a Joliet name. */
const MAX_NAME_CHARS = 64;

/** The most directories that can be above a file. */
const MAX_DEPTH = 8;

/** The largest file, in bytes: a size is a 32-bit number. */
const MAX_FILE_BYTES = 0xffff_ffff;

/** A file of an image. */
export interface ImageFile {
  /** Its path in the image, with `/` between its parts. */
  path: string;
  /** Its length in bytes. */
  size: number;
  /** Reads its content: exactly `size` bytes. */
  content(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** What an image is made of. */
export interface IsoOptions {
  /** The volume's label, such as `cidata`. */
  label: string;
  /** The files. */
  files: readonly ImageFile[];
  /** When the image was made; the beginning of 1980 unless given, so that the same files make the same image. */
  date?: Date;
}

interface Directory {
  name: string;
  parent: Directory;
  directories: Map<string, Directory>;
  files: Map<string, FileNode>;
}

interface FileNode {
  name: string;
  file: ImageFile;
  sector: number;
}

/** One of the two trees of names: ISO 9660's own, or Joliet's. */
interface NameTree {
  isJoliet: boolean;
  /** The directories in the order of the path table, the root first. */
  order: Directory[];
  sectorOf: Map<Directory, number>;
  bytesOf: Map<Directory, number>;
  nameOf: Map<Directory | FileNode, Uint8Array>;
  pathTable: Uint8Array;
  littleEndianTable: number;
  bigEndianTable: number;
}

/**
 * Writes an image.
 *
 * @param options The label and the files.
 * @returns The image's bytes.
 * @throws {Error} When a name, a path or a size does not fit into an image; when
 * a file has another length than it was said to have.
 */
export async function* iso9660(
  { label, files, date = new Date(Date.UTC(1980, 0, 1)) }: IsoOptions,
): AsyncGenerator<Uint8Array> {
  if (label.length > 16) {
    throw new Error(
      `the label "${label}" is too long: an image's label has at most 16 characters`,
    );
  }
  const root = treeOf(files);
  const plain = nameTree(root, false);
  const joliet = nameTree(root, true);
  let next = FIRST_DESCRIPTOR + 3;
  for (const tree of [plain, joliet]) {
    const sectors = sectorsOf(tree.pathTable.length);
    tree.littleEndianTable = next;
    tree.bigEndianTable = next + sectors;
    next += 2 * sectors;
  }
  for (const tree of [plain, joliet]) {
    for (const directory of tree.order) {
      tree.sectorOf.set(directory, next);
      next += sectorsOf(tree.bytesOf.get(directory)!);
    }
  }
  const nodes = plain.order.flatMap(({ files }) => [...files.values()]);
  for (const node of nodes) {
    node.sector = next;
    next += sectorsOf(node.file.size);
  }
  yield new Uint8Array(FIRST_DESCRIPTOR * SECTOR_BYTES);
  for (const tree of [plain, joliet]) {
    yield descriptor(tree, label, next, date);
  }
  const terminator = new Uint8Array(SECTOR_BYTES);
  terminator.set([255, ...ascii("CD001"), 1]);
  yield terminator;
  for (const tree of [plain, joliet]) {
    yield padded(pathTable(tree, true));
    yield padded(pathTable(tree, false));
  }
  for (const tree of [plain, joliet]) {
    for (const directory of tree.order) {
      yield padded(directoryExtent(directory, tree, date));
    }
  }
  for (const { file } of nodes) yield* fileContent(file);
}

async function* fileContent(file: ImageFile): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of file.content()) {
    length += chunk.length;
    yield chunk;
  }
  if (length !== file.size) {
    throw new Error(
      `${file.path} has changed while the image was written: ${length} bytes instead of ${file.size}`,
    );
  }
  const rest = length % SECTOR_BYTES;
  if (rest > 0) yield new Uint8Array(SECTOR_BYTES - rest);
}

function treeOf(files: readonly ImageFile[]): Directory {
  const root = directoryOf("", undefined);
  for (const file of files) {
    const parts = file.path.split("/").filter((part) => part !== "");
    const name = parts.pop();
    if (name === undefined || [...parts, name].includes("..")) {
      throw new Error(`"${file.path}" is not a path in an image`);
    }
    if (parts.length >= MAX_DEPTH) {
      throw new Error(`${file.path}: an image has at most ${MAX_DEPTH} levels`);
    }
    if (file.size > MAX_FILE_BYTES) {
      throw new Error(
        `${file.path} is too large for an image: 4 GiB is the most`,
      );
    }
    let directory = root;
    for (const part of [...parts, name]) {
      if ([...part].length > MAX_NAME_CHARS || /[\p{Cc}*/:;?\\]/u.test(part)) {
        throw new Error(
          `"${part}" (${file.path}) cannot be a name in an image: at most ${MAX_NAME_CHARS} characters, and none of * / : ; ? \\`,
        );
      }
    }
    for (const part of parts) {
      if (directory.files.has(part)) {
        throw new Error(`${file.path}: "${part}" is a file and a directory`);
      }
      let below = directory.directories.get(part);
      if (!below) {
        below = directoryOf(part, directory);
        directory.directories.set(part, below);
      }
      directory = below;
    }
    if (directory.files.has(name) || directory.directories.has(name)) {
      throw new Error(`the image has two files with the path ${file.path}`);
    }
    directory.files.set(name, { name, file, sector: 0 });
  }
  return root;
}

function directoryOf(name: string, parent: Directory | undefined): Directory {
  const directory: Directory = {
    name,
    parent: undefined as unknown as Directory,
    directories: new Map(),
    files: new Map(),
  };
  directory.parent = parent ?? directory;
  return directory;
}

function nameTree(root: Directory, isJoliet: boolean): NameTree {
  const tree: NameTree = {
    isJoliet,
    order: [root],
    sectorOf: new Map(),
    bytesOf: new Map(),
    nameOf: new Map([[root, new Uint8Array(1)]]),
    pathTable: new Uint8Array(),
    littleEndianTable: 0,
    bigEndianTable: 0,
  };
  for (const directory of tree.order) {
    const used = new Set<string>();
    for (const child of directory.directories.values()) {
      tree.nameOf.set(child, nameIn(child.name, false, used, isJoliet));
    }
    for (const child of directory.files.values()) {
      tree.nameOf.set(child, nameIn(child.name, true, used, isJoliet));
    }
    tree.order.push(
      ...[...directory.directories.values()].sort((a, b) =>
        compareBytes(tree.nameOf.get(a)!, tree.nameOf.get(b)!)
      ),
    );
  }
  // Numbers and sectors do not change the lengths.
  for (const directory of tree.order) tree.sectorOf.set(directory, 0);
  for (const directory of tree.order) {
    tree.bytesOf.set(
      directory,
      directoryExtent(directory, tree, new Date(0)).length,
    );
  }
  tree.pathTable = pathTable(tree, true);
  return tree;
}

/** A name as it is written in a directory. */
function nameIn(
  name: string,
  isFile: boolean,
  used: Set<string>,
  isJoliet: boolean,
): Uint8Array {
  if (isJoliet) {
    const text = isFile ? `${name};1` : name;
    const bytes = new Uint8Array(text.length * 2);
    const view = new DataView(bytes.buffer);
    for (let index = 0; index < text.length; index++) {
      view.setUint16(index * 2, text.charCodeAt(index));
    }
    return bytes;
  }
  const clean = name.toUpperCase().replaceAll(/[^A-Z0-9_.]/g, "_");
  const dot = isFile ? clean.lastIndexOf(".") : -1;
  const stem = (dot > 0 ? clean.slice(0, dot) : clean).replaceAll(".", "_");
  const extension = dot > 0 ? clean.slice(dot + 1, dot + 4) : "";
  for (let number = 0;; number++) {
    const tail = number === 0 ? "" : String(number);
    const short = stem.slice(0, 8 - tail.length) + tail;
    const text = isFile ? `${short}.${extension};1` : short;
    if (used.has(text)) continue;
    used.add(text);
    return ascii(text);
  }
}

function descriptor(
  tree: NameTree,
  label: string,
  sectors: number,
  date: Date,
): Uint8Array {
  const { isJoliet } = tree;
  const bytes = new Uint8Array(SECTOR_BYTES);
  const view = new DataView(bytes.buffer);
  const text = (offset: number, length: number, value: string) => {
    if (isJoliet) {
      for (let index = 0; index < length >> 1; index++) {
        view.setUint16(offset + index * 2, value.charCodeAt(index) || 0x20);
      }
      return;
    }
    bytes.fill(0x20, offset, offset + length);
    bytes.set(ascii(value).subarray(0, length), offset);
  };
  bytes.set([isJoliet ? 2 : 1, ...ascii("CD001"), 1]);
  text(8, 32, isJoliet ? "" : "LINUX");
  text(40, 32, label);
  both32(view, 80, sectors);
  // The escape sequence of UCS-2, level 3.
  if (isJoliet) bytes.set([0x25, 0x2f, 0x45], 88);
  both16(view, 120, 1);
  both16(view, 124, 1);
  both16(view, 128, SECTOR_BYTES);
  both32(view, 132, tree.pathTable.length);
  view.setUint32(140, tree.littleEndianTable, true);
  view.setUint32(148, tree.bigEndianTable);
  const root = tree.order[0]!;
  bytes.set(
    record(
      new Uint8Array(1),
      tree.sectorOf.get(root)!,
      tree.bytesOf.get(root)!,
      true,
      date,
    ),
    156,
  );
  for (
    const [offset, length] of [[190, 128], [318, 128], [446, 128], [
      574,
      128,
    ]] as const
  ) {
    text(offset, length, "");
  }
  for (const offset of [702, 739, 776]) {
    text(offset, offset === 776 ? 37 : 37, "");
  }
  const stamp = date.toISOString().replaceAll(/\D/g, "").slice(0, 16);
  for (const offset of [813, 830]) bytes.set(ascii(stamp), offset);
  for (const offset of [847, 864]) bytes.set(ascii("0".repeat(16)), offset);
  bytes[881] = 1;
  return bytes;
}

function pathTable(tree: NameTree, isLittleEndian: boolean): Uint8Array {
  const numbers = new Map(tree.order.map((one, index) => [one, index + 1]));
  const parts = tree.order.map((directory) => {
    const name = tree.nameOf.get(directory)!;
    const bytes = new Uint8Array(8 + name.length + name.length % 2);
    const view = new DataView(bytes.buffer);
    bytes[0] = name.length;
    view.setUint32(2, tree.sectorOf.get(directory) ?? 0, isLittleEndian);
    view.setUint16(6, numbers.get(directory.parent)!, isLittleEndian);
    bytes.set(name, 8);
    return bytes;
  });
  return concat(parts);
}

function directoryExtent(
  directory: Directory,
  tree: NameTree,
  date: Date,
): Uint8Array {
  const size = (one: Directory) =>
    sectorsOf(tree.bytesOf.get(one) ?? 0) * SECTOR_BYTES;
  const records = [
    record(
      new Uint8Array([0]),
      tree.sectorOf.get(directory)!,
      size(directory),
      true,
      date,
    ),
    record(
      new Uint8Array([1]),
      tree.sectorOf.get(directory.parent)!,
      size(directory.parent),
      true,
      date,
    ),
  ];
  const children = [
    ...directory.directories.values(),
    ...directory.files.values(),
  ].sort((a, b) => compareBytes(tree.nameOf.get(a)!, tree.nameOf.get(b)!));
  for (const child of children) {
    const name = tree.nameOf.get(child)!;
    records.push(
      "file" in child
        ? record(name, child.sector, child.file.size, false, date)
        : record(name, tree.sectorOf.get(child)!, size(child), true, date),
    );
  }
  // A record does not cross the end of a sector.
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const one of records) {
    const left = SECTOR_BYTES - length % SECTOR_BYTES;
    if (one.length > left) {
      parts.push(new Uint8Array(left));
      length += left;
    }
    parts.push(one);
    length += one.length;
  }
  return concat(parts);
}

function record(
  name: Uint8Array,
  sector: number,
  size: number,
  isDirectory: boolean,
  date: Date,
): Uint8Array {
  const bytes = new Uint8Array(33 + name.length + (1 - name.length % 2));
  const view = new DataView(bytes.buffer);
  bytes[0] = bytes.length;
  both32(view, 2, sector);
  both32(view, 10, size);
  bytes.set([
    date.getUTCFullYear() - 1900,
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ], 18);
  bytes[25] = isDirectory ? 2 : 0;
  both16(view, 28, 1);
  bytes[32] = name.length;
  bytes.set(name, 33);
  return bytes;
}

function both16(view: DataView, offset: number, value: number): void {
  view.setUint16(offset, value, true);
  view.setUint16(offset + 2, value);
}

function both32(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value, true);
  view.setUint32(offset + 4, value);
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0) & 0x7f);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    if (a[index] !== b[index]) return a[index]! - b[index]!;
  }
  return a.length - b.length;
}

function sectorsOf(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES);
}

function padded(bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(sectorsOf(bytes.length) * SECTOR_BYTES);
  all.set(bytes);
  return all;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
