/**
 * 16550A UART with byte registers, as on QEMU's `virt` ("ns16550a").
 *
 * Reference: National Semiconductor PC16550D data sheet, section 8. The line
 * is infinitely fast: the transmitter is always empty, and a character below
 * the FIFO's trigger level raises the time-out interrupt at once.
 *
 * What is typed waits in a queue of any length in front of the receiver, so
 * nothing is lost to an overrun however slowly the guest reads.
 */
import { bool, bytes, record, u16, u8, type StateOf } from '../snapshot/codec';
import type { AccessSize, InterruptLine } from './device';
import { DeclaredDevice, RegisterMap } from './registers';

export interface Uart16550Options {
  readonly interrupt: InterruptLine;
  /** One transmitted byte. */
  readonly onOutput: (byte: number) => void;
}

const layout = record('uart16550', 1, {
  interruptEnable: u8,
  fifoControl: u8,
  lineControl: u8,
  modemControl: u8,
  modemDelta: u8,
  scratch: u8,
  divisor: u16,
  /** The receiver FIFO; one byte of it is used when FIFOs are off. */
  received: bytes,
  typed: bytes,
  overrun: bool,
  /** The "transmitter holding register empty" interrupt is latched, unlike the LSR bit. */
  transmitterInterrupt: bool,
});
type State = StateOf<typeof layout>;

const FIFO_DEPTH = 16;
/** Table III, FCR bits 7 and 6. */
const TRIGGER_LEVELS = [1, 4, 8, 14];

const IER = { receivedData: 0x01, transmitterEmpty: 0x02, lineStatus: 0x04, modemStatus: 0x08, all: 0x0f };
const IIR = {
  modemStatus: 0x00,
  none: 0x01,
  transmitterEmpty: 0x02,
  receivedData: 0x04,
  lineStatus: 0x06,
  timeOut: 0x0c,
  fifosEnabled: 0xc0,
};
const FCR = { enable: 0x01, clearReceiver: 0x02, clearTransmitter: 0x04, kept: 0xc9 };
const LCR_DLAB = 0x80;
const MCR = { dtr: 0x01, rts: 0x02, out1: 0x04, out2: 0x08, loopback: 0x10, all: 0x1f };
const LSR = { dataReady: 0x01, overrun: 0x02, transmitterEmpty: 0x60 };
const MSR = {
  deltaCts: 0x01,
  deltaDsr: 0x02,
  trailingRi: 0x04,
  deltaDcd: 0x08,
  cts: 0x10,
  dsr: 0x20,
  ri: 0x40,
  dcd: 0x80,
};

/** Loopback connects the four modem outputs to the four inputs (section 8.6.7). */
const LOOPBACK_PAIRS = [
  [MCR.rts, MSR.cts],
  [MCR.dtr, MSR.dsr],
  [MCR.out1, MSR.ri],
  [MCR.out2, MSR.dcd],
] as const;

export class Uart16550 extends DeclaredDevice<State> {
  private static readonly registers = new RegisterMap<Uart16550>(1, [
    {
      offset: 0,
      name: 'RBR/THR/DLL',
      read: (d) => (d.divisorSelected ? d.state.divisor & 0xff : d.readReceiver()),
      write: (d, value) => (d.divisorSelected ? d.setDivisor(0, value) : d.transmit(value)),
    },
    {
      offset: 1,
      name: 'IER/DLM',
      read: (d) => (d.divisorSelected ? d.state.divisor >> 8 : d.state.interruptEnable),
      write: (d, value) => (d.divisorSelected ? d.setDivisor(8, value) : d.setInterruptEnable(value)),
    },
    {
      offset: 2,
      name: 'IIR/FCR',
      read: (d) => d.identifyInterrupt(),
      write: (d, value) => d.setFifoControl(value),
    },
    {
      offset: 3,
      name: 'LCR',
      read: (d) => d.state.lineControl,
      write: (d, value) => (d.state.lineControl = value),
    },
    {
      offset: 4,
      name: 'MCR',
      read: (d) => d.state.modemControl,
      write: (d, value) => d.setModemControl(value),
    },
    { offset: 5, name: 'LSR', read: (d) => d.readLineStatus() },
    { offset: 6, name: 'MSR', read: (d) => d.readModemStatus() },
    { offset: 7, name: 'SCR', read: (d) => d.state.scratch, write: (d, value) => (d.state.scratch = value) },
  ]);

  constructor(private readonly options: Uart16550Options) {
    super(layout, () => ({
      interruptEnable: 0,
      fifoControl: 0,
      lineControl: 0,
      modemControl: MCR.out2,
      modemDelta: 0,
      scratch: 0,
      divisor: 12, // 9600 baud at the PC's 1.8432 MHz
      received: new Uint8Array(0),
      typed: new Uint8Array(0),
      overrun: false,
      transmitterInterrupt: false,
    }));
  }

  read(offset: number, size: AccessSize): number {
    return Uart16550.registers.read(this, offset, size);
  }
  write(offset: number, size: AccessSize, value: number): void {
    Uart16550.registers.write(this, offset, size, value);
  }

  /** Bytes arrive on the line. */
  receive(typed: Uint8Array): void {
    this.state.typed = concatenate(this.state.typed, typed);
    this.fillReceiver();
    this.update();
  }

  /** Bytes that the guest has still to read. */
  get unread(): number {
    return this.state.received.length + this.state.typed.length;
  }

  private get divisorSelected(): boolean {
    return (this.state.lineControl & LCR_DLAB) !== 0;
  }
  private get loopback(): boolean {
    return (this.state.modemControl & MCR.loopback) !== 0;
  }
  private get fifosEnabled(): boolean {
    return (this.state.fifoControl & FCR.enable) !== 0;
  }
  private get capacity(): number {
    return this.fifosEnabled ? FIFO_DEPTH : 1;
  }

  private setDivisor(shift: 0 | 8, value: number): void {
    this.state.divisor = (this.state.divisor & (0xff00 >> shift)) | (value << shift);
  }

  /** Moves typed bytes into the receiver while it has room. In loopback the line is cut off. */
  private fillReceiver(): void {
    const { received, typed } = this.state;
    const moved = this.loopback ? 0 : Math.min(typed.length, Math.max(this.capacity - received.length, 0));
    if (moved === 0) return;
    this.state.received = concatenate(received, typed.subarray(0, moved));
    this.state.typed = typed.subarray(moved);
  }

  private readReceiver(): number {
    const value = this.state.received[0] ?? 0;
    this.state.received = this.state.received.subarray(1);
    this.fillReceiver();
    this.update();
    return value;
  }

  private transmit(value: number): void {
    if (!this.loopback) {
      this.options.onOutput(value);
    } else if (this.state.received.length < this.capacity) {
      this.state.received = concatenate(this.state.received, Uint8Array.of(value));
    } else {
      this.state.overrun = true;
    }
    this.state.transmitterInterrupt = true;
    this.update();
  }

  /** Enabling the transmitter interrupt while the register is empty raises it, also after IIR had cleared it. */
  private setInterruptEnable(value: number): void {
    const changed = this.state.interruptEnable ^ value;
    this.state.interruptEnable = value & IER.all;
    if (changed & IER.transmitterEmpty) {
      this.state.transmitterInterrupt = (value & IER.transmitterEmpty) !== 0;
    }
    this.update();
  }

  private setFifoControl(value: number): void {
    const { state } = this;
    const toggled = ((state.fifoControl ^ value) & FCR.enable) !== 0;
    if (toggled || value & FCR.clearReceiver) {
      state.received = new Uint8Array(0);
      state.overrun = false;
    }
    // An emptied transmitter reports that it is empty, also while FIFOs are off: as in QEMU.
    if (toggled || value & FCR.clearTransmitter) state.transmitterInterrupt = true;
    // What stays is programmed only together with bit 0 (section 8.4).
    state.fifoControl = value & FCR.enable ? value & FCR.kept : 0;
    this.fillReceiver();
    this.update();
  }

  private setModemControl(value: number): void {
    const before = this.modemInputs();
    this.state.modemControl = value & MCR.all;
    const after = this.modemInputs();
    const changed = before ^ after;
    // Bits 4, 5 and 7 have their delta four bits lower; for the ring indicator only its end counts.
    this.state.modemDelta |= (changed >> 4) & (MSR.deltaCts | MSR.deltaDsr | MSR.deltaDcd);
    if (changed & before & MSR.ri) this.state.modemDelta |= MSR.trailingRi;
    this.fillReceiver();
    this.update();
  }

  private modemInputs(): number {
    if (!this.loopback) return MSR.cts | MSR.dsr | MSR.dcd;
    return LOOPBACK_PAIRS.reduce(
      (inputs, [out, input]) => (this.state.modemControl & out ? inputs | input : inputs),
      0,
    );
  }

  private readModemStatus(): number {
    const value = this.modemInputs() | this.state.modemDelta;
    this.state.modemDelta = 0;
    this.update();
    return value;
  }

  private readLineStatus(): number {
    const { received, overrun } = this.state;
    const value =
      LSR.transmitterEmpty | (received.length > 0 ? LSR.dataReady : 0) | (overrun ? LSR.overrun : 0);
    this.state.overrun = false;
    this.update();
    return value;
  }

  /** The pending interrupt of highest priority (table IV). */
  private pendingInterrupt(): number {
    const { interruptEnable, received, overrun, transmitterInterrupt, modemDelta, fifoControl } = this.state;
    if (interruptEnable & IER.lineStatus && overrun) return IIR.lineStatus;
    if (interruptEnable & IER.receivedData && received.length > 0) {
      const trigger = this.fifosEnabled ? TRIGGER_LEVELS[fifoControl >> 6]! : 1;
      return received.length >= trigger ? IIR.receivedData : IIR.timeOut;
    }
    if (interruptEnable & IER.transmitterEmpty && transmitterInterrupt) return IIR.transmitterEmpty;
    if (interruptEnable & IER.modemStatus && modemDelta !== 0) return IIR.modemStatus;
    return IIR.none;
  }

  /** Reading IIR clears the transmitter interrupt, but only when it is the one that is shown. */
  private identifyInterrupt(): number {
    const interrupt = this.pendingInterrupt();
    if (interrupt === IIR.transmitterEmpty) {
      this.state.transmitterInterrupt = false;
      this.update();
    }
    return interrupt | (this.fifosEnabled ? IIR.fifosEnabled : 0);
  }

  protected override update(): void {
    this.options.interrupt.set(this.pendingInterrupt() !== IIR.none);
  }

  protected override problem(state: State): string | undefined {
    return state.received.length > FIFO_DEPTH
      ? `${state.received.length} bytes in a FIFO of ${FIFO_DEPTH}`
      : undefined;
  }
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
