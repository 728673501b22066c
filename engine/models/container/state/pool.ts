/** Objects that others share, numbered as they are first met: so equal states number them alike. */
export class Pool<T> {
  readonly items: T[] = [];
  private readonly numbers = new Map<T, number>();

  number(item: T): number {
    const known = this.numbers.get(item);
    if (known !== undefined) return known;
    this.numbers.set(item, this.items.length);
    this.items.push(item);
    return this.items.length - 1;
  }
}
