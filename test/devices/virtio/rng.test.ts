import { CallerRandom, SeededRandom } from '../../../engine/backends/random';
import { VirtioRng } from '../../../engine/devices/virtio/rng';
import { start, TRANSPORTS } from './driver';

describe.each(TRANSPORTS)('virtio-rng over %s', (_, put) => {
  test('fills buffers from its source', () => {
    const bench = put(new VirtioRng(new SeededRandom(7)));
    expect(bench.port.deviceId()).toBe(4);
    const [queue] = start(bench, 1);
    const expected = new Uint8Array(64);
    new SeededRandom(7).fill(expected);
    expect(queue!.exchange([{ in: 40 }, { in: 24 }])).toEqual({ bytes: expected, length: 64 });
  });

  test('a large buffer gets a part, and the length says how much', () => {
    const asked: number[] = [];
    const source = new CallerRandom((bytes) => {
      asked.push(bytes.length);
      bytes.fill(1);
    });
    const bench = put(new VirtioRng(source));
    const [queue] = start(bench, 1, { size: 8 });
    // The same page many times over, so that the buffer is larger than the memory behind it.
    const { places } = queue!.add(new Array(7).fill({ in: 16384 }) as { in: number }[]);
    expect(places.length).toBe(7);
    queue!.kick();
    expect(queue!.used()[0]!.length).toBe(65536);
    expect(asked).toEqual([65536]);
  });
});
