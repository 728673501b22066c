import { createHash } from 'node:crypto';
import { PAGE_SIZE, type PageSpace } from '../../engine/models/guest';

/** Pages in a map, zero where nothing was written, dirty as a guest's are. */
export class FakeSpace implements PageSpace {
  private readonly contents = new Map<number, Uint8Array>();
  private readonly changed = new Set<number>();

  constructor(
    readonly name: string,
    readonly pages: number,
    /** What the image has, page by page; the space starts with it. */
    private readonly image: ReadonlyMap<number, Uint8Array> = new Map(),
  ) {
    for (const [page, bytes] of image) this.contents.set(page, bytes.slice());
  }

  imagePage(page: number): Uint8Array | undefined {
    return this.image.get(page);
  }

  dirty(): number[] {
    return [...this.changed].sort((a, b) => a - b);
  }

  read(page: number): Uint8Array {
    return this.contents.get(page) ?? new Uint8Array(PAGE_SIZE);
  }

  load(page: number, bytes: Uint8Array): void {
    this.contents.set(page, bytes.slice());
  }

  clean(): void {
    this.changed.clear();
  }

  write(page: number, bytes: Uint8Array): void {
    this.contents.set(page, bytes.slice());
    this.changed.add(page);
  }

  /** All pages that are not zero, in order: the space's value. */
  value(): [number, string][] {
    return [...this.contents]
      .filter(([, bytes]) => bytes.some((byte) => byte !== 0))
      .sort(([a], [b]) => a - b)
      .map(([page, bytes]): [number, string] => [
        page,
        createHash('sha256').update(bytes).digest('hex').slice(0, 16),
      ]);
  }
}
