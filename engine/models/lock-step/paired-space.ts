/** The same page space of two guests that run in lock-step, and what it held when they were last equal. */
import { PAGE_SIZE, type PageSpace } from '../../memory/page-space';

const ZEROS = new Uint8Array(PAGE_SIZE);

export class PairedSpace implements PageSpace {
  readonly name: string;
  readonly pages: number;
  /** Pages as they were when both were last equal; the others were as the image has them. */
  private readonly kept = new Map<number, Uint8Array>();
  /** Changed since the owner of the pair has called `clean`. */
  private readonly changed = new Set<number>();

  constructor(
    private readonly left: PageSpace,
    private readonly right: PageSpace,
  ) {
    this.name = left.name;
    this.pages = left.pages;
  }

  /** The first page that one of them has changed since `keep` and that they do not have in common. */
  firstDifference(right = this.right): number | undefined {
    const [mine, theirs] = [this.left.dirty(), right.dirty()];
    const both = new Set([...mine, ...theirs]);
    const odd = [...both].filter((page) => !sameBytes(this.left.read(page), right.read(page)));
    const once = mine.length === both.size && theirs.length === both.size ? [] : oddOnes(mine, theirs);
    return [...odd, ...once].sort((a, b) => a - b)[0];
  }

  bytes(page: number, right = this.right): readonly [left: Uint8Array, right: Uint8Array] {
    return [this.left.read(page), right.read(page)];
  }

  /** Both are equal: this is where a search begins. */
  keep(): void {
    for (const page of this.left.dirty()) {
      this.kept.set(page, this.left.read(page).slice());
      this.changed.add(page);
    }
    this.left.clean();
    this.right.clean();
  }

  /** A space that has run on from what is kept becomes what is kept. */
  rollBack(space: PageSpace): void {
    for (const page of space.dirty()) this.put(space, page);
    space.clean();
  }

  /** A space of a guest that was made anew becomes what is kept. */
  fill(space: PageSpace): void {
    for (const page of space.dirty()) if (!this.kept.has(page)) this.put(space, page);
    for (const page of this.kept.keys()) this.put(space, page);
    space.clean();
  }

  private put(space: PageSpace, page: number): void {
    const kept = this.kept.get(page) ?? space.imagePage?.(page);
    if (!kept && space.loadZero) space.loadZero(page);
    else space.load(page, kept ?? ZEROS);
  }

  // What others see: one space.

  dirty(): number[] {
    return [...new Set([...this.changed, ...this.left.dirty()])].sort((a, b) => a - b);
  }
  read(page: number): Uint8Array {
    return this.left.read(page);
  }
  imagePage(page: number): Uint8Array | undefined {
    return this.left.imagePage?.(page);
  }
  load(page: number, bytes: Uint8Array): void {
    this.left.load(page, bytes);
    this.right.load(page, bytes);
    this.kept.set(page, bytes.slice());
  }
  clean(): void {
    this.keep();
    this.changed.clear();
  }
}

/** Pages of one list that are not in the other. */
function oddOnes(one: readonly number[], other: readonly number[]): number[] {
  const [first, second] = [new Set(one), new Set(other)];
  return [...one.filter((page) => !second.has(page)), ...other.filter((page) => !first.has(page))];
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let place = 0;
  if (((one.byteOffset | other.byteOffset) & 7) === 0) {
    const words = one.length >> 3;
    const [mine, theirs] = [one, other].map(
      (bytes) => new BigUint64Array(bytes.buffer, bytes.byteOffset, words),
    );
    for (let word = 0; word < words; word++) if (mine![word] !== theirs![word]) return false;
    place = 8 * words;
  }
  for (; place < one.length; place++) if (one[place] !== other[place]) return false;
  return true;
}
