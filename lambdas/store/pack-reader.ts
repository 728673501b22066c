/** Reads packs in parallel for whoever wants frames of them. */
import { forEachBounded } from './bounded';
import { packName } from './keys';
import { openPack, type FrameLocator, type OpenFrame, type OpenPack } from './pack';
import { ownerOf, type Lineage } from './page-index';
import type { Attempt, PackId, PackStore } from './store';

/** One wanted frame, and who takes it. */
interface Wanted<T> {
  readonly frame: FrameLocator;
  readonly take: (frame: OpenFrame, ready: T) => void;
}

interface ReadOptions<T> {
  /** What `take` needs besides the frame: packs are read meanwhile, as many as may be under way. */
  readonly ready: Promise<T>;
  /** The same packs will be wanted again soon. */
  readonly keep?: boolean;
}

/** Whose packs are read, and for which generation. */
export interface PackSource {
  readonly guest: string;
  readonly lineage: Lineage;
  readonly at: Attempt;
}

/** Reads packs in parallel, each once; some stay at hand for the next round. */
export class PackReader {
  /** Packs read from the store so far. */
  packs = 0;
  private readonly kept = new Map<string, OpenPack>();
  private keptBytes = 0;

  constructor(
    private readonly store: PackStore,
    private readonly source: PackSource,
  ) {}

  private open(id: PackId): Promise<OpenPack> {
    const { guest, lineage, at } = this.source;
    this.packs += 1;
    return openPack(this.store, ownerOf(guest, lineage, id), at.generation, id);
  }

  /** @throws CorruptPackError; what `ready` throws */
  async forEachPack<T>(wanted: readonly Wanted<T>[], { ready, keep }: ReadOptions<T>): Promise<void> {
    const byPack = new Map<string, Wanted<T>[]>();
    for (const want of wanted) {
      const name = packName(want.frame.pack);
      const list = byPack.get(name);
      if (list === undefined) byPack.set(name, [want]);
      else list.push(want);
    }
    await forEachBounded(byPack, async ([name, wants]) => {
      const id = wants[0]?.frame.pack;
      if (id === undefined) return;
      const pack = this.kept.get(name) ?? (await this.open(id));
      if (keep === true && this.keptBytes + pack.bytes <= KEPT_BYTES && !this.kept.has(name)) {
        this.kept.set(name, pack);
        this.keptBytes += pack.bytes;
      }
      const value = await ready;
      await Promise.all(wants.map(async ({ frame, take }) => take(await pack.frame(frame.frame), value)));
    });
  }
}

/** Memory for packs between the two rounds of a restore. */
const KEPT_BYTES = 32 * 1024 * 1024;
