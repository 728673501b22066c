/**
 * Console device with several ports. OASIS virtio 1.2, section 5.3.
 *
 * Port 0 is a console (`hvc0` on Linux); the others are named channels
 * (`/dev/virtio-ports/<name>`). What the host types waits in the saved state
 * until the guest has opened the port and has buffers for it; what the guest
 * writes goes out at once.
 */
import { bool, bytes, list, nested, record, u16, u8 } from '../../snapshot/codec';
import { StateError } from '../../snapshot/errors';
import { VirtioFault } from './chain';
import { VirtioDevice } from './device';

/** Feature bits, section 5.3.3. */
const FEATURE = { size: 0, multiport: 1, emergencyWrite: 2 } as const;

/** Control events, section 5.3.6.2. */
const EVENT = {
  deviceReady: 0,
  deviceAdd: 1,
  portReady: 3,
  consolePort: 4,
  resize: 5,
  portOpen: 6,
  portName: 7,
} as const;

const QUEUE_SIZE = 64;
const CONTROL_RECEIVE = 2;
const CONTROL_TRANSMIT = 3;
const MAXIMUM_PORTS = 16;
/**
 * Most bytes of output at one notification: a full queue of what Linux sends at most in a buffer, 32 KiB. Buffers may
 * all name the same memory, so a guest's RAM is no bound.
 */
const MAXIMUM_OUTPUT = QUEUE_SIZE * 32_768;
const CONTROL_BYTES = 8;
/** Offset of emerg_wr in the configuration space, section 5.3.4. */
const EMERGENCY_WRITE = 8;

/**
 * What a port still has to tell the driver: one bit an event, so that a
 * driver which asks forever and never reads makes nothing grow. Told in this order.
 */
const PENDING = { add: 0x01, console: 0x02, name: 0x04, open: 0x08, resize: 0x10 } as const;

const layout = record('virtio-console', 1, {
  columns: u16,
  rows: u16,
  ports: list(nested({ opened: bool, pending: u8, input: bytes })),
});

interface Port {
  readonly name: string | undefined;
  /** The driver says that somebody has opened the port. */
  opened: boolean;
  pending: number;
  /** Typed ahead: from `taken` on. */
  input: Uint8Array;
  taken: number;
}

export interface VirtioConsoleOptions {
  /** Names of the ports after the console, port 1 first: letters, digits, `.`, `_`, `-`. Up to 15. */
  readonly ports?: readonly string[];
  /** Bytes that the guest wrote to a port; the array is the receiver's. */
  readonly onOutput: (port: number, bytes: Uint8Array) => void;
  /** Size of the terminal behind port 0. Default: 80 by 25. */
  readonly columns?: number;
  readonly rows?: number;
}

export class VirtioConsole extends VirtioDevice {
  readonly kind = layout.name;
  readonly deviceId = 3;
  readonly pciClass = 0x0780;
  readonly features = Object.values(FEATURE).reduce((set, bit) => set | (1n << BigInt(bit)), 0n);
  readonly queueSizes: readonly number[];

  private readonly ports: readonly Port[];
  private readonly onOutput: VirtioConsoleOptions['onOutput'];
  private readonly powerOnSize: { readonly columns: number; readonly rows: number };
  private columns: number;
  private rows: number;

  constructor({ ports = [], onOutput, columns = 80, rows = 25 }: VirtioConsoleOptions) {
    super();
    const wrong = ports.find((name, index) => !/^[\w.-]{1,64}$/.test(name) || ports.indexOf(name) !== index);
    if (wrong !== undefined) {
      throw new RangeError(
        `console port ${JSON.stringify(wrong)}: use each name once, up to 64 letters, digits, ".", "_" or "-"`,
      );
    }
    if (ports.length >= MAXIMUM_PORTS) {
      throw new RangeError(`${ports.length} named console ports: a device takes ${MAXIMUM_PORTS - 1}`);
    }
    this.onOutput = onOutput;
    this.powerOnSize = { columns, rows };
    this.columns = columns;
    this.rows = rows;
    this.ports = [undefined, ...ports].map((name) => ({
      name,
      opened: false,
      pending: 0,
      input: new Uint8Array(0),
      taken: 0,
    }));
    // Section 5.3.2: port 0's pair, the control pair, then a pair for each further port.
    this.queueSizes = new Array<number>(2 * this.ports.length + 2).fill(QUEUE_SIZE);
  }

  // The host's side

  /**
   * Sends bytes to a port. They wait until the guest reads them.
   * @throws RangeError when there is no such port
   */
  receive(port: number, data: Uint8Array): void {
    const to = this.port(port);
    if (!to) throw new RangeError(`console port ${port}: there are 0 to ${this.ports.length - 1}`);
    const waiting = to.input.length - to.taken;
    const input = new Uint8Array(waiting + data.length);
    input.set(to.input.subarray(to.taken));
    input.set(data, waiting);
    to.input = input;
    to.taken = 0;
    this.link.service(this.receiveQueue(port));
  }
  /** Number of the port of that name; undefined when there is none. */
  portNamed(name: string): number | undefined {
    const number = this.ports.findIndex((port) => port.name === name);
    return number < 0 ? undefined : number;
  }
  /** Bytes that wait for the guest. */
  waiting(port: number): number {
    const { input, taken } = this.port(port) ?? { input: [], taken: 0 };
    return input.length - taken;
  }
  /** Tells the guest that the terminal behind port 0 has another size. */
  resize(columns: number, rows: number): void {
    this.columns = columns & 0xffff;
    this.rows = rows & 0xffff;
    if (this.multiport) {
      this.tell(0, PENDING.resize);
      this.link.service(CONTROL_RECEIVE);
    } else {
      this.link.configurationChanged();
    }
  }

  // The guest's side

  /** Section 5.3.4: cols, rows, max_nr_ports, emerg_wr. */
  configuration(): Uint8Array {
    const space = new DataView(new ArrayBuffer(12));
    space.setUint16(0, this.columns, true);
    space.setUint16(2, this.rows, true);
    space.setUint32(4, this.ports.length, true);
    return new Uint8Array(space.buffer);
  }
  override writeConfiguration(offset: number, _size: number, value: number): void {
    if (offset === EMERGENCY_WRITE) this.onOutput(0, Uint8Array.of(value & 0xff));
  }

  process(index: number): void {
    if (index === CONTROL_RECEIVE) this.sendControl();
    else if (index === CONTROL_TRANSMIT) this.takeControl();
    else {
      const port = index < 2 ? 0 : (index - 2) >> 1;
      if (index & 1) this.takeOutput(index, port);
      else this.deliver(index, port);
    }
  }

  private get multiport(): boolean {
    return this.link.accepted(FEATURE.multiport);
  }
  private port(number: number): Port | undefined {
    return this.ports[number];
  }
  private receiveQueue(port: number): number {
    return port === 0 ? 0 : 2 + 2 * port;
  }

  private takeOutput(index: number, port: number): void {
    const queue = this.queue(index);
    let room = MAXIMUM_OUTPUT;
    for (let left = queue.waiting(); left > 0; left--) {
      const chain = queue.take();
      room -= chain.readable.remaining;
      if (room < 0) throw new VirtioFault('console output of more than 2 MiB at once');
      const data = chain.readable.take(chain.readable.remaining);
      queue.give(chain);
      if (data.length > 0) this.onOutput(port, data);
    }
  }

  /** Typed-ahead bytes into the driver's buffers. Without ports there is no opening, so nothing to wait for. */
  private deliver(index: number, number: number): void {
    const port = this.port(number) as Port;
    if (this.multiport && !port.opened) return;
    const queue = this.queue(index);
    for (let left = queue.waiting(); left > 0 && port.taken < port.input.length; left--) {
      const chain = queue.take();
      const length = Math.min(chain.writable.remaining, port.input.length - port.taken);
      chain.writable.write(port.input.subarray(port.taken, port.taken + length));
      port.taken += length;
      queue.give(chain);
    }
    if (port.taken === port.input.length) {
      port.input = new Uint8Array(0);
      port.taken = 0;
    }
  }

  // Control messages {id u32, event u16, value u16}, section 5.3.6.2

  private readonly events: Readonly<Record<number, (id: number, value: number) => void>> = {
    [EVENT.deviceReady]: (_, value) => {
      if (value === 1) this.ports.forEach((_port, id) => this.tell(id, PENDING.add));
    },
    [EVENT.portReady]: (id, value) => {
      if (value !== 1) return;
      const own = id === 0 ? PENDING.console | PENDING.resize : PENDING.name;
      this.tell(id, own | PENDING.open);
    },
    [EVENT.portOpen]: (id, value) => {
      const port = this.port(id);
      if (port) port.opened = value !== 0;
    },
  };

  /** Ports opened by the messages of this round: they get their input when it is over. */
  private readonly opened = new Set<number>();

  private takeControl(): void {
    const queue = this.queue(CONTROL_TRANSMIT);
    const { opened } = this;
    for (let left = queue.waiting(); left > 0; left--) {
      const chain = queue.take();
      if (chain.readable.remaining < CONTROL_BYTES)
        throw new VirtioFault('control message of less than 8 bytes');
      const message = new DataView(chain.readable.take(CONTROL_BYTES).buffer);
      const id = message.getUint32(0, true);
      const event = message.getUint16(4, true);
      this.events[event]?.(id, message.getUint16(6, true));
      if (event === EVENT.portOpen && this.port(id)) opened.add(id);
      queue.give(chain);
    }
    if (this.queue(CONTROL_RECEIVE).ready) this.sendControl();
    for (const id of opened) {
      opened.delete(id);
      const index = this.receiveQueue(id);
      if (this.queue(index).ready) this.deliver(index, id);
    }
  }

  private tell(id: number, pending: number): void {
    const port = this.port(id);
    if (port) port.pending |= pending;
  }

  private sendControl(): void {
    const queue = this.queue(CONTROL_RECEIVE);
    let left = queue.waiting();
    for (let id = 0; id < this.ports.length; id++) {
      const port = this.ports[id] as Port;
      for (const bit of Object.values(PENDING)) {
        if (!(port.pending & bit)) continue;
        if (left-- === 0) return;
        const message = this.controlMessage(id, port, bit);
        const chain = queue.take();
        // A buffer that is too short loses the message's end, as the driver chose it.
        chain.writable.write(message.subarray(0, Math.min(message.length, chain.writable.remaining)));
        port.pending &= ~bit;
        queue.give(chain);
      }
    }
  }

  private controlMessage(id: number, port: Port, pending: number): Uint8Array {
    const named = (event: number, value: number, tail: Uint8Array = new Uint8Array(0)): Uint8Array => {
      const message = new Uint8Array(CONTROL_BYTES + tail.length);
      const view = new DataView(message.buffer);
      view.setUint32(0, id, true);
      view.setUint16(4, event, true);
      view.setUint16(6, value, true);
      message.set(tail, CONTROL_BYTES);
      return message;
    };
    switch (pending) {
      case PENDING.add:
        return named(EVENT.deviceAdd, 1);
      case PENDING.console:
        return named(EVENT.consolePort, 1);
      case PENDING.name:
        return named(EVENT.portName, 1, new TextEncoder().encode(port.name));
      case PENDING.open:
        return named(EVENT.portOpen, 1);
      default: {
        const size = new Uint8Array(4);
        // Columns before rows; older versions of Linux read them the other way round.
        new DataView(size.buffer).setUint16(0, this.columns, true);
        new DataView(size.buffer).setUint16(2, this.rows, true);
        return named(EVENT.resize, 1, size);
      }
    }
  }

  // State

  /** What was typed ahead survives: it waits before the driver, and drivers reset the device when they start. */
  override reset(): void {
    for (const port of this.ports) {
      port.opened = false;
      port.pending = 0;
    }
  }
  override powerOn(): void {
    this.reset();
    this.columns = this.powerOnSize.columns;
    this.rows = this.powerOnSize.rows;
    for (const port of this.ports) {
      port.input = new Uint8Array(0);
      port.taken = 0;
    }
  }
  save(): Uint8Array {
    const { columns, rows } = this;
    const ports = this.ports.map(({ opened, pending, input, taken }) => {
      return { opened, pending, input: input.subarray(taken) };
    });
    return layout.encode({ columns, rows, ports });
  }
  restore(payload: Uint8Array): void {
    const { columns, rows, ports } = layout.decode(payload);
    if (ports.length !== this.ports.length) {
      throw new StateError(`${this.kind}: ${ports.length} saved ports for a device of ${this.ports.length}`);
    }
    this.columns = columns;
    this.rows = rows;
    ports.forEach((saved, id) => Object.assign(this.ports[id] as Port, saved, { taken: 0 }));
  }
}
