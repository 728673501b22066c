/**
 * What a guest has written to its console and nobody has taken yet.
 *
 * No part of the guest's state: whoever makes a checkpoint takes the bytes and
 * commits them together with it, so that nothing shows that is not committed.
 */
export class ConsoleLog {
  private buffer = new Uint8Array(4096);
  private length = 0;

  /**
   * @param limit bytes after which `full` asks the caller to take them; a
   * guest that floods its console must not exhaust the worker's memory
   */
  constructor(private readonly limit = 1024 * 1024) {}

  /** Bytes are still accepted: the run ends at the next opportunity, not here. */
  get full(): boolean {
    return this.length >= this.limit;
  }
  get size(): number {
    return this.length;
  }

  append(byte: number): void {
    this.reserve(1);
    this.buffer[this.length++] = byte;
  }
  appendAll(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** All bytes since the last call. */
  take(): Uint8Array {
    const taken = this.buffer.slice(0, this.length);
    this.length = 0;
    return taken;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(this.length + more, this.buffer.length * 2));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }
}
