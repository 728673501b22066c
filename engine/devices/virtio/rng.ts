/** Entropy device. OASIS virtio 1.2, section 5.4. */
import { record } from '../../snapshot/codec';
import type { RandomSource } from '../device';
import { VirtioDevice } from './device';

/** Most bytes for one request. The driver asks again for more (section 5.4.6.2 wants one byte at least). */
const MAXIMUM_BYTES = 65_536;

/** Without state: what the source has given out is the source's to save. */
const layout = record('virtio-rng', 1, {});

export class VirtioRng extends VirtioDevice {
  readonly kind = layout.name;
  readonly deviceId = 4;
  readonly pciClass = 0x00ff;
  readonly features = 0n;
  readonly queueSizes = [8];

  constructor(private readonly source: RandomSource) {
    super();
  }

  configuration(): Uint8Array {
    return new Uint8Array(0);
  }

  process(index: number): void {
    const queue = this.queue(index);
    for (let left = queue.waiting(); left > 0; left--) {
      const chain = queue.take();
      const bytes = new Uint8Array(Math.min(chain.writable.remaining, MAXIMUM_BYTES));
      this.source.fill(bytes);
      chain.writable.write(bytes);
      queue.give(chain);
    }
  }

  save(): Uint8Array {
    return layout.encode({});
  }
  restore(payload: Uint8Array): void {
    layout.decode(payload);
  }
}
