/** Bytes under construction. */
import type { Code } from './expression';

export class Bytes {
  private bytes = new Uint8Array(1024);
  length = 0;

  push(byte: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  append(code: Code | Uint8Array): void {
    if (code instanceof Uint8Array) {
      this.reserve(code.length);
      this.bytes.set(code, this.length);
      this.length += code.length;
      return;
    }
    for (let i = 0; i < code.length; i++) {
      const part = code[i]!;
      if (typeof part === 'number') this.push(part);
      else this.append(part);
    }
  }

  /** What there is so far, until more is added. */
  view(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.length + more));
    larger.set(this.view());
    this.bytes = larger;
  }
}
