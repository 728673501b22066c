import fc from 'fast-check';
import { VirtioConsole } from '../../../engine/devices/virtio/console';
import { DriverQueue, start, TRANSPORTS, type Bench } from './driver';

const NAMES = ['events', 'results'];
const MULTIPORT = 2n;
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value);

const control = (id: number, event: number, value: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, id, true);
  view.setUint16(4, event, true);
  view.setUint16(6, value, true);
  return bytes;
};

/** Receive buffers of one queue, as a driver keeps them filled. */
class Receiver {
  private readonly places = new Map<number, number>();
  constructor(
    private readonly bench: Bench,
    private readonly queue: DriverQueue,
    private readonly size: number,
  ) {}
  offer(count: number): void {
    for (let index = 0; index < count; index++) {
      const { head, places } = this.queue.add([{ in: this.size }]);
      this.places.set(head, places[0]!);
      this.queue.kick();
    }
  }
  take(): Uint8Array[] {
    return this.queue
      .used()
      .map(({ head, length }) => this.bench.ram.view(this.places.get(head)!, length).slice());
  }
}

describe.each(TRANSPORTS)('virtio-console over %s', (_, put) => {
  const make = (names: readonly string[] = NAMES) => {
    const output: [number, string][] = [];
    const device = new VirtioConsole({
      ports: names,
      onOutput: (port, bytes) => output.push([port, text(bytes)]),
    });
    return { device, output, bench: put(device) };
  };

  test('without ports: bytes typed before the driver came arrive, output goes out', () => {
    const { device, output, bench } = make();
    expect(bench.port.deviceId()).toBe(3);
    device.receive(0, utf8('typed ahead'));
    const [receive, transmit] = start(bench, 2, { without: MULTIPORT });
    const receiver = new Receiver(bench, receive!, 4);
    receiver.offer(2);
    expect(receiver.take().map(text)).toEqual(['type', 'd ah']);
    expect(device.waiting(0)).toBe(3);
    receiver.offer(1);
    expect(receiver.take().map(text)).toEqual(['ead']);
    expect(bench.line.asserted).toBe(true);
    expect(bench.port.interruptStatus()).toBe(1);
    transmit!.exchange([{ out: utf8('hello ') }, { out: utf8('world') }]);
    expect(output).toEqual([[0, 'hello world']]);
  });

  test('input raises an interrupt when buffers wait for it', () => {
    const { device, bench } = make();
    const [receive] = start(bench, 1, { without: MULTIPORT });
    const receiver = new Receiver(bench, receive!, 16);
    receiver.offer(1);
    bench.port.interruptStatus();
    expect(bench.line.asserted).toBe(false);
    device.receive(0, utf8('x'));
    expect(bench.line.asserted).toBe(true);
    expect(receiver.take().map(text)).toEqual(['x']);
  });

  const startPorts = (bench: Bench) => {
    const queues = start(bench, 8);
    const events = new Receiver(bench, queues[2]!, 64);
    events.offer(12);
    const tell = (id: number, event: number, value: number): void => {
      queues[3]!.exchange([{ out: control(id, event, value) }]);
    };
    return { queues, events, tell };
  };

  test('the control queue introduces every port, and names and opens those that are ready', () => {
    const { bench } = make();
    expect(bench.port.config(4, 4)).toBe(3);
    const { events, tell } = startPorts(bench);
    tell(0, 0, 1);
    expect(events.take()).toEqual([control(0, 1, 1), control(1, 1, 1), control(2, 1, 1)]);
    tell(0, 3, 1);
    expect(events.take()).toEqual([
      control(0, 4, 1),
      control(0, 6, 1),
      Uint8Array.of(...control(0, 5, 1), 80, 0, 25, 0),
    ]);
    tell(2, 3, 1);
    expect(events.take()).toEqual([Uint8Array.of(...control(2, 7, 1), ...utf8('results')), control(2, 6, 1)]);
  });

  test('input for a named port waits until the guest opens it', () => {
    const { bench, device, output } = make();
    const { queues, tell } = startPorts(bench);
    tell(0, 0, 1);
    const port = device.portNamed('results')!;
    expect(port).toBe(2);
    const receiver = new Receiver(bench, queues[6]!, 32);
    receiver.offer(2);
    device.receive(port, utf8('first'));
    expect(receiver.take()).toEqual([]);
    tell(port, 6, 1);
    expect(receiver.take().map(text)).toEqual(['first']);
    queues[7]!.exchange([{ out: utf8('answer') }]);
    expect(output).toEqual([[2, 'answer']]);
    tell(port, 6, 0);
    device.receive(port, utf8('second'));
    expect(receiver.take()).toEqual([]);
    expect(device.waiting(port)).toBe(6);
  });

  test('whatever way the driver resets, what was typed stays, and is saved', () => {
    const { bench, device } = make();
    device.receive(1, utf8('kept'));
    startPorts(bench);
    bench.port.setStatus(0);
    const other = make();
    other.bench.saved.restore(bench.saved.save());
    expect(other.device.waiting(1)).toBe(4);
    const { queues, tell } = startPorts(other.bench);
    const receiver = new Receiver(other.bench, queues[4]!, 32);
    receiver.offer(1);
    tell(1, 6, 1);
    expect(receiver.take().map(text)).toEqual(['kept']);
  });

  test('input in any pieces into buffers of any size arrives whole and in order', () => {
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 50 }), (input, size) => {
        const { bench, device } = make([]);
        const [receive] = start(bench, 1, { without: MULTIPORT });
        const receiver = new Receiver(bench, receive!, size);
        const got: number[] = [];
        for (const piece of input) {
          device.receive(0, piece);
          receiver.offer(1);
          for (const bytes of receiver.take()) got.push(...bytes);
        }
        while (device.waiting(0) > 0) {
          receiver.offer(1);
          for (const bytes of receiver.take()) got.push(...bytes);
        }
        expect(got).toEqual(input.flatMap((piece) => [...piece]));
      }),
    );
  });

  test('a driver that asks for ever and reads nothing makes nothing grow', () => {
    const { bench } = make();
    const queues = start(bench, 4);
    const ask = (): void => {
      for (let round = 0; round < 200; round++) {
        queues[3]!.exchange([{ out: control(0, 0, 1) }]);
        queues[3]!.exchange([{ out: control(round % 4, 3, 1) }]);
      }
    };
    ask();
    const size = bench.saved.save().length;
    ask();
    expect(bench.saved.save().length).toBe(size);
  });

  test('a resize is told, and read from the configuration', () => {
    const { bench, device } = make();
    const { events, tell } = startPorts(bench);
    tell(0, 0, 1);
    events.take();
    device.resize(132, 43);
    expect(events.take()).toEqual([Uint8Array.of(...control(0, 5, 1), 132, 0, 43, 0)]);
    expect([bench.port.config(0, 2), bench.port.config(2, 2)]).toEqual([132, 43]);
  });

  test('emergency write needs no driver', () => {
    const { bench, output } = make();
    bench.port.setConfig(8, 4, 0x41);
    expect(output).toEqual([[0, 'A']]);
  });
});

test('port names are checked', () => {
  const make = (ports: string[]) => () => new VirtioConsole({ ports, onOutput: () => {} });
  expect(make(['a b'])).toThrow(/letters, digits/);
  expect(make(['a', 'a'])).toThrow(/each name once/);
  expect(make(Array.from({ length: 16 }, (_, index) => `p${index}`))).toThrow(/takes 15/);
});
