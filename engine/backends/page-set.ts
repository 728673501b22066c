/** A set of page numbers below a bound, a bit each. Takes no memory before the first one is added. */
export class PageSet {
  private bits: Uint8Array | undefined;
  private count = 0;

  constructor(private readonly pages: number) {}

  get isEmpty(): boolean {
    return this.count === 0;
  }

  has(page: number): boolean {
    return this.count > 0 && ((this.bits![page >> 3] ?? 0) & (1 << (page & 7))) !== 0;
  }

  add(page: number): void {
    if (this.has(page)) return;
    this.bits ??= new Uint8Array(Math.ceil(this.pages / 8));
    this.bits[page >> 3]! |= 1 << (page & 7);
    this.count++;
  }

  delete(page: number): void {
    if (!this.has(page)) return;
    this.bits![page >> 3]! &= ~(1 << (page & 7));
    this.count--;
  }

  /** Adds all. */
  fill(): void {
    this.bits = new Uint8Array(Math.ceil(this.pages / 8)).fill(0xff);
    this.count = this.pages;
  }
}
