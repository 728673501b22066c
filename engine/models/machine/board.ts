/**
 * A machine's devices, put together from the rows of a memory map: their bus,
 * their interrupt wiring, and their saved state as one payload.
 */
import type { BusMemory, GuestClock, InterruptLine, RandomSource, Stateful } from '../../devices/device';
import type { TimerComparators } from '../../devices/aclint';
import type { Halt } from '../../devices/syscon';
import type { Disk } from '../../devices/virtio/block';
import type { DeviceTreeNode } from '../../devicetree/node';
import type { PageSpace } from '../../memory/page-space';
import { bytes, list, nested, record, text } from '../../snapshot/codec';
import { StateError } from '../../snapshot/errors';
import { Bus, type RegisterWindow } from './bus';

/** Inputs of one hart that devices drive. They are levels. */
export interface HartInterrupts {
  readonly machineExternal: InterruptLine;
  readonly supervisorExternal: InterruptLine;
  readonly machineSoftware: InterruptLine;
}

/** All that the devices need of the machine around them. */
export interface MachineContext {
  /** One for each hart, in the order of hart ids. At most 8. */
  readonly harts: readonly HartInterrupts[];
  readonly timer: TimerComparators;
  readonly memory: BusMemory;
  /** Bytes of RAM, from `RAM_BASE` on. */
  readonly ramSize: number;
  readonly clock: GuestClock;
  readonly random: RandomSource;
  /** virtio-blk, in this order: the first eight in the mmio slots, more of them behind PCI. */
  readonly disks: readonly Disk[];
  /** Images of the two flash banks; erased where absent. */
  readonly flash?: readonly (Uint8Array | undefined)[];
  /** Names of the virtio console's ports (`/dev/virtio-ports/NAME`), besides the console itself. */
  readonly ports?: readonly string[];
  /** One byte that the guest wrote to its serial console. */
  readonly onConsoleOutput: (byte: number) => void;
  /** Bytes that the guest wrote to a virtio console port; undefined for the console itself (`/dev/hvc0`). */
  readonly onPortOutput: (port: string | undefined, bytes: Uint8Array) => void;
  /** Power-off, reset or failure. May be called from within a write on the bus. */
  readonly onHalt: (halt: Halt) => void;
}

/** Where the interrupts of a row lead. */
export interface Wiring {
  /** @param index counted from the row's first source */
  interrupt(index?: number): InterruptLine;
}

/** A device that has to be told when a time has come. */
export interface Alarm {
  /** Wall time of the guest's clock in nanoseconds; undefined when nothing is due. */
  nextAlarm(): bigint | undefined;
  tick(): void;
}

/** A device that takes what is typed. */
export interface Terminal {
  receive(bytes: Uint8Array): void;
  /** Bytes that the guest has not read yet. */
  readonly unread: number;
}

/** A device that takes input for named ports. */
export interface Ports {
  /** @throws RangeError when there is no such port */
  send(port: string, bytes: Uint8Array): void;
}

/** What a row has made: its state, one register window for each of the row's, and what else it can do. */
export interface Part {
  readonly state: Stateful & { reset(): void };
  readonly windows: readonly RegisterWindow[];
  readonly interruptController?: { input(source: number): InterruptLine };
  readonly terminal?: Terminal;
  readonly ports?: Ports;
  readonly alarm?: Alarm;
  /** What it keeps page by page, apart from its state. */
  readonly spaces?: readonly PageSpace[];
}

export interface AddressRange {
  readonly base: number;
  readonly size: number;
}

/** What a row adds to the device tree. */
export interface RowNodes {
  /** Below `/soc`. */
  readonly soc?: DeviceTreeNode;
  readonly root?: readonly DeviceTreeNode[];
}

/** One device of a memory map, with all that the machine has to know of it. */
export interface BoardRow {
  /** Unique in the map; the name of its state in checkpoints. */
  readonly name: string;
  readonly windows: readonly AddressRange[];
  /** Sources of the interrupt controller that are its own. */
  readonly interrupts?: { readonly first: number; readonly count: number };
  create(machine: MachineContext, wiring: Wiring): Part;
  nodes?(row: BoardRow, machine: MachineContext): RowNodes;
}

const layout = record('board', 1, { parts: list(nested({ name: text, state: bytes })) });

export class Board implements Stateful {
  readonly kind = layout.name;
  readonly bus: Bus;
  /** Page spaces of the devices: the flash banks. Disks are the caller's. */
  readonly spaces: readonly PageSpace[];
  private readonly parts: readonly (Part & { readonly name: string })[];

  /** @throws RangeError when the rows do not fit together */
  constructor(
    readonly rows: readonly BoardRow[],
    readonly machine: MachineContext,
  ) {
    this.parts = rows.map((row) => ({ name: row.name, ...row.create(machine, this.wiring(row)) }));
    const duplicate = rows.find((row, index) => rows.findIndex(({ name }) => name === row.name) !== index);
    if (duplicate !== undefined) throw new RangeError(`two devices are named ${duplicate.name}; rename one`);
    this.bus = new Bus(
      rows.flatMap(({ name, windows }, row) =>
        windows.map((range, index) => {
          const registers = this.parts[row]!.windows[index];
          if (registers === undefined)
            throw new RangeError(`${name} has no registers for its window ${index}`);
          return { name, ...range, registers };
        }),
      ),
    );
    this.spaces = this.parts.flatMap(({ spaces }) => spaces ?? []);
  }

  /** Types bytes on the serial console; they wait in the guest's state until it reads them. */
  type(typed: Uint8Array): void {
    this.having('terminal').receive(typed);
  }
  /** Typed bytes that the guest has not read yet. */
  get unread(): number {
    return this.having('terminal').unread;
  }
  /** Sends bytes to a named port of the virtio console. @throws RangeError when there is no such port */
  send(port: string, sent: Uint8Array): void {
    this.having('ports').send(port, sent);
  }

  /** The earliest time at which a device wants `tick`, in nanoseconds of wall time; undefined when none does. */
  nextAlarm(): bigint | undefined {
    return this.parts.reduce<bigint | undefined>((earliest, { alarm }) => {
      const next = alarm?.nextAlarm();
      return next !== undefined && (earliest === undefined || next < earliest) ? next : earliest;
    }, undefined);
  }
  /** Lets the devices act on the time that has passed. Cheap when nothing is due. */
  tick(): void {
    for (const { alarm } of this.parts) alarm?.tick();
  }

  reset(): void {
    for (const { state } of this.parts) state.reset();
  }
  save(): Uint8Array {
    return layout.encode({ parts: this.parts.map(({ name, state }) => ({ name, state: state.save() })) });
  }
  /**
   * @throws StateError when the payload is of another set of devices, or a
   * device refuses its part; then all devices are as they were
   */
  restore(payload: Uint8Array): void {
    const saved = layout.decode(payload).parts;
    const own = this.parts.map(({ name }) => name);
    const found = saved.map(({ name }) => name);
    if (own.join('\n') !== found.join('\n')) {
      const missing = own.filter((name) => !found.includes(name));
      const unknown = found.filter((name) => !own.includes(name));
      throw new StateError(
        `${this.kind}: saved by a machine with other devices (missing: ${missing.join(', ') || 'none'}; ` +
          `unknown: ${unknown.join(', ') || 'none'}); restore into the same machine`,
      );
    }
    const before = this.parts.map(({ state }) => state.save());
    this.parts.forEach(({ name, state }, index) => {
      try {
        state.restore(saved[index]!.state);
      } catch (error) {
        for (let done = 0; done < index; done++) this.parts[done]!.state.restore(before[done]!);
        throw error instanceof StateError ? new StateError(`${name}: ${error.message}`) : error;
      }
    });
  }

  private having<K extends 'terminal' | 'ports' | 'interruptController'>(what: K): NonNullable<Part[K]> {
    const found = this.parts.find((part) => part[what] !== undefined)?.[what];
    if (found === undefined) throw new RangeError(`this board has no device with ${what}`);
    return found;
  }

  /** Lines find their controller when they are first driven, so rows may stand in any order. */
  private wiring({ name, interrupts }: BoardRow): Wiring {
    return {
      interrupt: (index = 0) => {
        if (interrupts === undefined || index >= interrupts.count) {
          throw new RangeError(`${name} has no interrupt ${index}; add it to its row`);
        }
        let input: InterruptLine | undefined;
        return {
          set: (asserted) => {
            input ??= this.having('interruptController').input(interrupts.first + index);
            input.set(asserted);
          },
        };
      },
    };
  }
}
