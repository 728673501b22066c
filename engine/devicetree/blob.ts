/**
 * Flattened device tree ("DTB"), version 17. Devicetree Specification 0.4, chapter 5.
 */
import { DeviceTreeError, type DeviceTreeNode, type PropertyValue } from './node';

const MAGIC = 0xd00dfeed;
const VERSION = 17;
const LAST_COMPATIBLE_VERSION = 16;
const HEADER_SIZE = 40;
const TOKEN = { beginNode: 1, endNode: 2, property: 3, end: 9 } as const;

/** Table 2.1 and 2.2: characters of node and property names. */
const NODE_NAME = /^[A-Za-z][0-9A-Za-z,._+-]{0,30}(@[0-9A-Za-z,._+-]+)?$/;
const PROPERTY_NAME = /^[0-9A-Za-z,._+?#-]{1,31}$/;

/** Physical memory that the guest must not use. */
export interface MemoryReservation {
  readonly address: bigint;
  readonly size: bigint;
}

export interface DeviceTreeBlobOptions {
  readonly reservations?: readonly MemoryReservation[];
  /** Hart id of the hart that enters the kernel; 0 by default. */
  readonly bootCpu?: number;
}

/** Growing big-endian output. */
class Output {
  private readonly bytes: number[] = [];

  get length(): number {
    return this.bytes.length;
  }
  u32(value: number): void {
    this.bytes.push(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
  }
  u64(value: bigint): void {
    this.u32(Number(value >> 32n));
    this.u32(Number(value & 0xffffffffn));
  }
  raw(bytes: Iterable<number>): void {
    for (const byte of bytes) this.bytes.push(byte);
  }
  align(to: number): void {
    while (this.bytes.length % to !== 0) this.bytes.push(0);
  }
  take(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}

/** Names of properties, each stored once. */
class StringTable {
  readonly output = new Output();
  private readonly offsets = new Map<string, number>();

  offset(name: string): number {
    let offset = this.offsets.get(name);
    if (offset === undefined) {
      offset = this.output.length;
      this.offsets.set(name, offset);
      this.output.raw(encodeString(name));
    }
    return offset;
  }
}

function encodeString(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}

function* walk(node: DeviceTreeNode): Generator<DeviceTreeNode> {
  yield node;
  for (const child of node.children ?? []) yield* walk(child);
}

/** Numbers the nodes that something refers to, from 1, in the order of the tree. */
function assignPhandles(root: DeviceTreeNode): Map<string, number> {
  const wanted = new Set<string>();
  for (const node of walk(root)) {
    for (const value of Object.values(node.properties ?? {})) {
      if (typeof value !== 'object' || !('cells' in value)) continue;
      for (const cell of value.cells) if (typeof cell === 'object') wanted.add(cell.label);
    }
  }
  const phandles = new Map<string, number>();
  const labels = new Set<string>();
  for (const { label } of walk(root)) {
    if (label === undefined) continue;
    if (labels.has(label))
      throw new DeviceTreeError(`two nodes are labelled "${label}"; labels must be unique`);
    labels.add(label);
    if (wanted.has(label)) phandles.set(label, phandles.size + 1);
  }
  for (const label of wanted) {
    if (!labels.has(label))
      throw new DeviceTreeError(`no node is labelled "${label}", but a property refers to it`);
  }
  return phandles;
}

function encodeValue(value: PropertyValue, phandles: ReadonlyMap<string, number>, where: string): Uint8Array {
  if (value === true) return new Uint8Array(0);
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'object' && 'cells' in value) {
    const bytes = new Uint8Array(4 * value.cells.length);
    const view = new DataView(bytes.buffer);
    value.cells.forEach((cell, index) => {
      view.setUint32(4 * index, typeof cell === 'number' ? cell : phandles.get(cell.label)!);
    });
    return bytes;
  }
  const strings = typeof value === 'string' ? [value] : value;
  if (strings.some((string) => string.includes('\0'))) {
    throw new DeviceTreeError(
      `${where}: a string of a device tree cannot contain a NUL character; remove it`,
    );
  }
  return Uint8Array.from(strings.flatMap((string) => [...encodeString(string)]));
}

/**
 * Builds the blob. Equal trees give equal bytes.
 * @throws DeviceTreeError when a name is not allowed or not unique, or a reference leads nowhere
 */
export function buildDeviceTreeBlob(root: DeviceTreeNode, options: DeviceTreeBlobOptions = {}): Uint8Array {
  const phandles = assignPhandles(root);
  const strings = new StringTable();
  const structure = new Output();

  const property = (name: string, value: Uint8Array): void => {
    structure.u32(TOKEN.property);
    structure.u32(value.length);
    structure.u32(strings.offset(name));
    structure.raw(value);
    structure.align(4);
  };

  const node = ({ name, label, properties = {}, children = [] }: DeviceTreeNode, parent: string): void => {
    const path = parent === '' && name === '' ? '/' : `${parent === '/' ? '' : parent}/${name}`;
    structure.u32(TOKEN.beginNode);
    structure.raw(encodeString(name));
    structure.align(4);
    for (const [key, value] of Object.entries(properties)) {
      if (value === undefined) continue;
      if (!PROPERTY_NAME.test(key)) throw new DeviceTreeError(`${path}: "${key}" is no name for a property`);
      property(key, encodeValue(value, phandles, `${path}: ${key}`));
    }
    const phandle = label === undefined ? undefined : phandles.get(label);
    if (phandle !== undefined) property('phandle', encodeValue({ cells: [phandle] }, phandles, path));
    const names = new Set<string>();
    for (const child of children) {
      if (!NODE_NAME.test(child.name))
        throw new DeviceTreeError(`${path}: "${child.name}" is no name for a node`);
      if (names.has(child.name)) throw new DeviceTreeError(`${path}: two nodes are named "${child.name}"`);
      names.add(child.name);
      node(child, path);
    }
    structure.u32(TOKEN.endNode);
  };

  if (root.name !== '')
    throw new DeviceTreeError(`the root node has no name, but this one is "${root.name}"`);
  node(root, '');
  structure.u32(TOKEN.end);
  return assemble(structure, strings.output, options);
}

/** Header, memory reservations (ended by a pair of zeros), structure, strings. */
function assemble(structure: Output, strings: Output, options: DeviceTreeBlobOptions): Uint8Array {
  const reservations = options.reservations ?? [];
  const structureOffset = HEADER_SIZE + 16 * (reservations.length + 1);
  const stringsOffset = structureOffset + structure.length;
  const blob = new Output();
  for (const value of [
    MAGIC,
    stringsOffset + strings.length,
    structureOffset,
    stringsOffset,
    HEADER_SIZE,
    VERSION,
    LAST_COMPATIBLE_VERSION,
    options.bootCpu ?? 0,
    strings.length,
    structure.length,
  ]) {
    blob.u32(value);
  }
  for (const { address, size } of [...reservations, { address: 0n, size: 0n }]) {
    blob.u64(address);
    blob.u64(size);
  }
  blob.raw(structure.take());
  blob.raw(strings.take());
  return blob.take();
}
