/** An independent reader of flattened device trees, for tests: it trusts nothing that the builder knows. */

export interface ReadNode {
  readonly name: string;
  readonly properties: Record<string, Uint8Array>;
  readonly children: ReadNode[];
}

export interface ReadTree {
  readonly root: ReadNode;
  readonly reservations: [address: bigint, size: bigint][];
  readonly bootCpu: number;
}

export function readDeviceTree(blob: Uint8Array): ReadTree {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const header = Array.from({ length: 10 }, (_, index) => view.getUint32(4 * index));
  const [
    magic,
    total,
    structureAt,
    stringsAt,
    reservationsAt,
    version,
    compatible,
    bootCpu,
    ,
    structureSize,
  ] = header as [number, number, number, number, number, number, number, number, number, number];
  if (magic !== 0xd00dfeed || total !== blob.length || version !== 17 || compatible !== 16) {
    throw new Error(`bad header: ${header.map((value) => value.toString(16)).join(' ')}`);
  }
  if (structureAt % 4 !== 0 || reservationsAt % 8 !== 0) throw new Error('misaligned blocks');

  const reservations: [bigint, bigint][] = [];
  for (let at = reservationsAt; ; at += 16) {
    const entry: [bigint, bigint] = [view.getBigUint64(at), view.getBigUint64(at + 8)];
    if (entry[0] === 0n && entry[1] === 0n) break;
    reservations.push(entry);
  }

  const stringAt = (at: number): string => {
    const end = blob.indexOf(0, at);
    return new TextDecoder().decode(blob.subarray(at, end));
  };
  let at = structureAt;
  const token = (): number => {
    const value = view.getUint32(at);
    at += 4;
    return value;
  };
  const readNode = (): ReadNode => {
    const node: ReadNode = { name: stringAt(at), properties: {}, children: [] };
    at += (new TextEncoder().encode(node.name).length + 4) & ~3;
    for (;;) {
      const next = token();
      if (next === 2) return node;
      if (next === 1) {
        node.children.push(readNode());
      } else if (next === 3) {
        if (node.children.length > 0) throw new Error('a property after a node');
        const length = token();
        const name = stringAt(stringsAt + token());
        node.properties[name] = blob.slice(at, at + length);
        at += (length + 3) & ~3;
      } else {
        throw new Error(`token ${next} in node ${node.name}`);
      }
    }
  };
  if (token() !== 1) throw new Error('no root node');
  const root = readNode();
  if (token() !== 9) throw new Error('no end token');
  if (at !== structureAt + structureSize) throw new Error('structure block of another size');
  return { root, reservations, bootCpu };
}

export function find(root: ReadNode, path: string): ReadNode {
  let node = root;
  for (const part of path.split('/').filter((each) => each !== '')) {
    const next = node.children.find((child) => child.name === part);
    if (next === undefined)
      throw new Error(`no node ${path}; ${node.name} has ${node.children.map((c) => c.name).join(' ')}`);
    node = next;
  }
  return node;
}

export const asCells = (bytes: Uint8Array): number[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(4 * index));
};
export const asStrings = (bytes: Uint8Array): string[] =>
  new TextDecoder().decode(bytes).split('\0').slice(0, -1);
