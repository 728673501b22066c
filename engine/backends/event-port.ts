/** Events to a guest and results from it, as lines of a port. What a line lacks of its end is state. */
import type { Stateful } from '../devices/device';
import { bytes, list, record } from '../snapshot/codec';

const NEWLINE = 0x0a;
const layout = record('event-port', 1, { partial: bytes, results: list(bytes) });

/** Longest result in bytes; what exceeds it is cut off, so that a guest cannot fill its worker. */
const LONGEST = 256 * 1024;
/** Results after which `full` asks the caller to take them, and those after which more are lost. */
const MANY = 1000;
const MOST = 65_536;

export class EventPort implements Stateful {
  readonly kind = layout.name;
  private partial: number[] = [];
  private results: Uint8Array[] = [];

  /** An event as the port takes it: newlines end records, so those within become blanks. */
  static frame(event: Uint8Array): Uint8Array {
    const line = new Uint8Array(event.length + 1);
    line.set(event.map((byte) => (byte === NEWLINE ? 0x20 : byte)));
    line[event.length] = NEWLINE;
    return line;
  }

  /** Bytes that the guest wrote to the port. */
  receive(written: Uint8Array): void {
    for (const byte of written) {
      if (byte === NEWLINE) {
        if (this.results.length < MOST) this.results.push(Uint8Array.from(this.partial));
        this.partial = [];
      } else if (this.partial.length < LONGEST) {
        this.partial.push(byte);
      }
    }
  }

  /** Results are still accepted, but somebody should take them: a guest that floods the port fills its worker. */
  get full(): boolean {
    return this.results.length >= MANY;
  }

  /** Whole lines since the last call. */
  take(): Uint8Array[] {
    const taken = this.results;
    this.results = [];
    return taken;
  }

  reset(): void {
    this.partial = [];
    this.results = [];
  }
  save(): Uint8Array {
    return layout.encode({ partial: Uint8Array.from(this.partial), results: this.results });
  }
  restore(payload: Uint8Array): void {
    const { partial, results } = layout.decode(payload);
    this.partial = [...partial];
    this.results = results;
  }
}
