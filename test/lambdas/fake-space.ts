import { createHash } from 'node:crypto';
import { PAGE_SIZE, type LazyPages, type PageSpace } from '../../engine/models/guest';

/** Pages in a map, zero where nothing was written, dirty as a guest's are. */
export class FakeSpace implements PageSpace {
  protected readonly contents = new Map<number, Uint8Array>();
  private readonly changed = new Set<number>();

  constructor(
    readonly name: string,
    readonly pages: number,
    /** What the image has, page by page; the space starts with it. */
    protected readonly image: ReadonlyMap<number, Uint8Array> = new Map(),
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

/** A space that a guest can run on before its pages are there; without its image until `provide`. */
export class LazySpace extends FakeSpace {
  private readonly absent = new Set<number>();
  private readonly touched = new Set<number>();
  private provided = true;

  readonly lazy: LazyPages = {
    omit: (pages) => {
      for (const page of pages ?? Array.from({ length: this.pages }, (_, each) => each)) {
        this.absent.add(page);
        this.contents.set(page, new Uint8Array(PAGE_SIZE).fill(0xee)); // whoever reads this reads junk
      }
    },
    isAbsent: (page) => this.absent.has(page),
    loadImage: (page) => {
      if (!this.provided) throw new Error('the image is not there');
      this.load(page, this.image.get(page) ?? new Uint8Array(PAGE_SIZE));
    },
    imageRuns: () => [...this.image.keys()].map((page) => [page, 1] as const),
    used: () => [...this.touched].sort((a, b) => a - b),
    takeWanted: () => [],
  };

  /** The image's files are still to come. */
  withoutImage(): this {
    this.provided = false;
    return this;
  }
  provide(): void {
    this.provided = true;
  }
  override imagePage(page: number): Uint8Array | undefined {
    return this.provided ? super.imagePage(page) : undefined;
  }
  override load(page: number, bytes: Uint8Array): void {
    super.load(page, bytes);
    this.absent.delete(page);
  }
  override clean(): void {
    super.clean();
    this.touched.clear();
  }
  /** As a guest reads: the page must be there. */
  use(page: number): Uint8Array {
    if (this.absent.has(page)) throw new Error(`page ${page} is absent`);
    this.touched.add(page);
    return this.read(page);
  }
  override write(page: number, bytes: Uint8Array): void {
    this.absent.delete(page);
    this.touched.add(page);
    super.write(page, bytes);
  }
}
