/** The store in memory: for tests, and for guests that need no durability. */
import {
  checkItemSize,
  itemBytes,
  Usage,
  type Condition,
  type Item,
  type Key,
  type Range,
  type Table,
} from './table';
import { TableStore } from './table-store';

export class MemoryTable implements Table {
  readonly usage = new Usage();
  private readonly partitions = new Map<string, Map<string, Item>>();

  async get(key: Key): Promise<Item | undefined> {
    const item = this.partitions.get(key.pk)?.get(key.sk);
    this.usage.read(item === undefined ? 0 : itemBytes(item));
    return item === undefined ? undefined : structuredClone(item);
  }

  async put(item: Item, condition?: Condition): Promise<boolean> {
    checkItemSize(item);
    this.usage.wrote(itemBytes(item));
    const partition = this.partitions.get(item.pk) ?? new Map<string, Item>();
    if (!holds(condition, partition.get(item.sk))) return false;
    this.partitions.set(item.pk, partition);
    partition.set(item.sk, structuredClone(item));
    return true;
  }

  async delete(key: Key): Promise<void> {
    const item = this.partitions.get(key.pk)?.get(key.sk);
    this.usage.wrote(item === undefined ? 0 : itemBytes(item));
    this.partitions.get(key.pk)?.delete(key.sk);
  }

  async *query(pk: string, range: Range = {}): AsyncIterable<Item> {
    const { from = '', to, descending = false, keysOnly = false, limit = Infinity } = range;
    const keys = [...(this.partitions.get(pk)?.keys() ?? [])]
      .filter((sk) => sk >= from && (to === undefined || sk <= to))
      .sort();
    if (descending) keys.reverse();
    for (const sk of keys.slice(0, limit)) {
      const item = this.partitions.get(pk)?.get(sk);
      if (item === undefined) continue;
      this.usage.read(itemBytes(item));
      yield keysOnly ? { pk, sk } : structuredClone(item);
    }
  }
}

function holds(condition: Condition | undefined, stored: Item | undefined): boolean {
  if (condition === undefined) return true;
  if ('absent' in condition) return stored === undefined;
  return (
    stored !== undefined && Object.entries(condition.equals).every(([name, value]) => stored[name] === value)
  );
}

/** A store that lives as long as `table`. */
export function memoryStore(table: Table = new MemoryTable()): TableStore {
  return new TableStore(table);
}
