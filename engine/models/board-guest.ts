/**
 * What the models share that have a board: harts, RAM, devices in the rows
 * of a memory map, time, the console and the port of the events.
 */
import { ConsoleLog } from '../backends/console';
import { CopyOnWriteDisk } from '../backends/disk';
import { EventPort } from '../backends/event-port';
import { CallerRandom, SeededRandom } from '../backends/random';
import { exitCounters } from '../cpu/exit-counters';
import { type Hart, Line } from '../cpu/hart';
import { Harts } from '../cpu/harts';
import { Inspection } from '../cpu/inspection';
import type { InterruptLine } from '../devices/device';
import type { Halt } from '../devices/syscon';
import { baseNames } from '../isa/extensions';
import { PageWanted } from '../memory/page-space';
import { Ram } from '../memory/ram';
import { bytes, optional, record, text, u16, u64 } from '../snapshot/codec';
import { StateError } from '../snapshot/errors';
import {
  type CommonDefinition,
  type Exit,
  type ExitCounts,
  type Guest,
  type GuestFiles,
  type HostServices,
  ImageError,
  type MachineDefinition,
  type PageSpace,
  type ParavirtDefinition,
  type RunBudget,
  type WantedPage,
} from './guest';
import { checkExtensions, checkHarts, checkMemory } from './checks';
import type { ImagePiece } from './linux-image';
import { DETERMINISTIC_EPOCH, TICK_NANOSECONDS } from './guest-time';
import { HostClock } from './host-clock';
import { Board, type BoardRow, type MachineContext } from './machine/board';
import { type DeviceTreeOptions, describeCpu } from './machine/devicetree';
import { MAX_DISKS, RAM_BASE } from './machine/memory-map';
import { Pace } from './machine/pace';

/** Instructions between two looks at the clock and at `expired`: a few milliseconds. */
const BURST = 1_000_000;
/** Bytes that devices may move in a burst; a guest can make them move gigabytes in an instruction. */
const BURST_WORK = 8 * 2 ** 20;
/** Name of the port that events and results go through: /dev/virtio-ports/events. */
const EVENTS = 'events';

const stateLayout = (name: string) =>
  record(name, 2, {
    harts: bytes,
    board: bytes,
    events: bytes,
    random: optional(bytes),
    powerOnWall: u64,
    halted: optional(text),
    haltCode: u16,
  });

type BoardDefinition = MachineDefinition | ParavirtDefinition;

/** What tells one model from another here. */
export interface BoardGuestOptions {
  /** The model, as its saved state is labelled. */
  readonly name: string;
  readonly rows: readonly BoardRow[];
  /** Whether the monitor takes M-mode's place; `onTrap` is called then. */
  readonly monitor?: boolean;
  /** Extensions that the model adds to those that a guest may choose; not in the device tree. */
  readonly extensions?: readonly string[];
}

export abstract class BoardGuest implements Guest {
  readonly spaces: readonly PageSpace[];
  readonly inspection: Inspection;
  protected readonly harts: Harts;
  /** The hart that runs, and with it the clock and RAM of all. */
  protected readonly hart: Hart;
  protected readonly ram: Ram;
  protected readonly board: Board;
  private readonly disks: readonly CopyOnWriteDisk[];
  protected readonly console = new ConsoleLog();
  private readonly events = new EventPort();
  private readonly seeded: SeededRandom | undefined;
  /** Undefined in deterministic mode. */
  private readonly clock: HostClock | undefined;
  private readonly chosenExtensions: readonly string[];
  private readonly layout: ReturnType<typeof stateLayout>;
  /** Wall time at mtime zero, in nanoseconds since the Unix epoch. */
  private powerOnWall: bigint;
  private halt: Halt | undefined;
  private readonly skipsIdle: boolean;
  /** How fast this worker runs the guest; deterministic guests have their own time. */
  private readonly pace: Pace | undefined;
  /** The alarm that the present burst reckons with. */
  private knownAlarm: bigint | undefined;

  /** @throws ImageError when the definition cannot become a machine. */
  protected constructor(
    definition: BoardDefinition,
    files: GuestFiles | undefined,
    private readonly host: HostServices,
    options: BoardGuestOptions,
  ) {
    checkMemory(definition.memory);
    const count = checkHarts(definition.harts ?? 1);
    if (files) checkDisks(definition, files.disks ?? []);
    checkCommandLine(definition.commandLine ?? '');
    this.layout = stateLayout(options.name);
    const { clock } = definition;
    this.clock = clock === 'deterministic' ? undefined : new HostClock(clock, host.now);
    this.powerOnWall = this.clock ? host.now() : DETERMINISTIC_EPOCH;
    this.pace = this.clock && new Pace(TICK_NANOSECONDS, BURST);
    this.seeded = this.clock ? undefined : new SeededRandom(definition.seed ?? 0);
    this.skipsIdle = clock !== 'real';
    this.chosenExtensions = checkExtensions(definition.cpu);

    this.harts = new Harts(count, {
      ramSize: definition.memory,
      extensions: [...this.chosenExtensions, ...(options.extensions ?? [])],
      monitor: options.monitor ?? false,
      ...(host.engine && { engine: host.engine }),
      ...(host.instructions && { trace: host.instructions }),
      bus: {
        read: (address, size) => this.board.bus.read(address, size),
        write: (address, size, value) => this.writeBus(address, size, value),
      },
    });
    this.hart = this.harts.hart;
    this.inspection = new Inspection(this.harts);
    this.ram = new Ram({
      base: RAM_BASE,
      bytes: this.hart.ram,
      flags: this.hart.pageFlags,
      cleaned: () => this.hart.watchPages(),
      changed: (page, pages) => this.hart.ramChanged(page, pages),
      lazy: true,
    });
    const sizes = (files?.disks ?? definition.disks ?? []).map((disk) =>
      'length' in disk ? disk.length : disk.size,
    );
    this.disks = sizes.map(
      (imageSize, i) => new CopyOnWriteDisk({ name: `disk${i}`, base: files?.disks?.[i], imageSize }),
    );
    this.board = new Board(options.rows, this.context(definition, this.disks));
    this.spaces = [this.ram, ...this.disks, ...this.board.spaces];
    if (!files) for (const { lazy } of this.spaces) lazy?.omit();
  }

  provideFiles(files: GuestFiles): void {
    for (const { address, bytes } of this.image(files)) this.ram.describe(address, bytes);
    this.disks.forEach((disk, i) => disk.provide(files.disks?.[i] ?? new Uint8Array(0)));
  }

  /** What the files put into RAM. @throws ImageError */
  protected abstract image(files: GuestFiles): readonly ImagePiece[];

  get instructions(): number {
    return Number(this.hart.steps);
  }

  get exits(): ExitCounts {
    return Object.fromEntries(
      exitCounters
        .map(([cell, name]) => [name, Number(this.hart.cell(cell))] as const)
        .filter(([, count]) => count > 0),
    );
  }

  run({ instructions, expired }: RunBudget): Exit {
    let left = instructions;
    this.clock?.begin(this.wall);
    for (let slept = false; ;) {
      this.ram.resume();
      const wanted = this.takeWanted();
      if (wanted.length > 0) return { reason: 'page wanted', wanted };
      if (this.halt) return { reason: 'halted', ...this.halt };
      this.advanceClock(slept);
      if (left <= 0 || this.full || expired?.()) return { reason: 'budget' };
      const before = this.instructions;
      const exit = this.harts.run(Math.min(left, BURST, this.stepsUntilAlarm()));
      const executed = this.instructions - before;
      left -= executed;
      if (exit === 'budget') this.pace?.observe(executed, this.host.now());
      if (exit === 'trap') this.handleTrap();
      if (exit === 'page') this.ram.want(this.hart.wantedPage);
      slept = exit === 'idle' && !this.waits && !this.alarmIsDue();
      if (slept && !this.sleepOn()) return { reason: 'idle', wakeAfter: this.wakeAfter() };
    }
  }

  takeOutput(): Uint8Array {
    return this.console.take();
  }
  type(typed: Uint8Array): void {
    this.board.type(typed);
  }
  deliver(event: Uint8Array): void {
    this.board.send(EVENTS, EventPort.frame(event));
  }
  takeResults(): Uint8Array[] {
    return this.events.take();
  }

  skipIdle(nanoseconds: bigint): void {
    if (this.skipsIdle) this.hart.time += (nanoseconds + TICK_NANOSECONDS - 1n) / TICK_NANOSECONDS;
  }

  save(): Uint8Array {
    return this.layout.encode({
      harts: this.harts.saveState(),
      board: this.board.save(),
      events: this.events.save(),
      random: this.seeded?.save(),
      powerOnWall: this.powerOnWall,
      halted: this.halt?.how,
      haltCode: this.halt?.code ?? 0,
    });
  }

  restore(state: Uint8Array): void {
    const saved = this.layout.decode(state);
    if ((saved.random === undefined) !== (this.seeded === undefined)) {
      throw new StateError(
        `${this.layout.name}: saved by a guest with the other kind of clock; restore into the same guest`,
      );
    }
    this.board.restore(saved.board);
    this.harts.restoreState(saved.harts);
    this.events.restore(saved.events);
    if (saved.random) this.seeded?.restore(saved.random);
    this.powerOnWall = saved.powerOnWall;
    this.halt =
      saved.halted === undefined ? undefined : { how: saved.halted as Halt['how'], code: saved.haltCode };
  }

  takeProfile(): Uint8Array | undefined {
    return this.hart.takeProfile();
  }
  useProfile(profile: Uint8Array): void {
    this.hart.useProfile(profile);
  }

  private handleTrap(): void {
    try {
      this.onTrap();
    } catch (error) {
      if (!(error instanceof PageWanted)) throw error;
      this.ram.later(() => this.handleTrap());
    }
  }

  /** Whether a device or a disk waits for pages. */
  private get waits(): boolean {
    return this.ram.waits || this.disks.some((disk) => disk.waits);
  }

  private takeWanted(): WantedPage[] {
    if (!this.waits) return [];
    return this.spaces.flatMap((space) => (space.lazy?.takeWanted() ?? []).map((page) => ({ space, page })));
  }

  /** A trap that is the monitor's: the hart is as it was before the instruction. Never in models without a monitor. */
  protected onTrap(): void {
    throw new Error(`${this.layout.name}: a trap for a monitor that is not there`);
  }

  /** The guest has ended. May be called from within a write on the bus. */
  protected end(halt: Halt): void {
    this.halt = halt;
    this.hart.requestExit();
  }

  /** The CPU as the device tree has to describe it, and entropy for the kernel. */
  protected describeHart(): Pick<DeviceTreeOptions, 'cpu' | 'rngSeed'> {
    const rngSeed = new Uint8Array(32);
    (this.seeded ?? new CallerRandom(this.host.fillRandom)).fill(rngSeed);
    return { cpu: describeCpu([...baseNames, ...this.chosenExtensions]), rngSeed };
  }

  private context(definition: CommonDefinition, disks: readonly CopyOnWriteDisk[]): MachineContext {
    const { hart, harts } = this;
    const line = (number: number, bit: number): InterruptLine => ({
      set: (asserted) => harts.setLine(number, bit, asserted),
    });
    return {
      harts: Array.from({ length: harts.count }, (_, number) => ({
        machineExternal: line(number, Line.machineExternal),
        supervisorExternal: line(number, Line.supervisorExternal),
        machineSoftware: line(number, Line.machineSoftware),
      })),
      timer: {
        compare: (number) => harts.timeCompare(number),
        setCompare: (number, ticks) => harts.setTimeCompare(number, ticks),
      },
      memory: this.ram,
      ramSize: definition.memory,
      clock: { ticks: () => hart.time, wallNanoseconds: () => this.wall },
      random: this.seeded ?? new CallerRandom(this.host.fillRandom),
      disks,
      ports: [EVENTS],
      onConsoleOutput: (byte) => this.console.append(byte),
      onPortOutput: (port, output) => {
        if (port === undefined) this.console.appendAll(output);
        else if (port === EVENTS) this.events.receive(output);
      },
      onHalt: (halt) => this.end(halt),
    };
  }

  private get wall(): bigint {
    return this.powerOnWall + this.hart.time * TICK_NANOSECONDS;
  }

  /** Output has to be taken before the guest may go on. */
  private get full(): boolean {
    return this.console.full || this.events.full;
  }

  /** @param slept time has just been made up for, up to a timer: what is due then comes first */
  private advanceClock(slept: boolean): void {
    this.ram.work = 0;
    if (this.clock && this.pace) {
      if (!slept) this.hart.time = (this.clock.stride(this.wall) - this.powerOnWall) / TICK_NANOSECONDS;
      const ahead = -this.clock.behind(this.wall) / TICK_NANOSECONDS;
      this.hart.stepsPerTick = this.pace.begin(this.host.now(), ahead > 0n ? ahead : 0n);
    }
    this.board.tick();
    this.knownAlarm = this.board.nextAlarm();
  }

  /**
   * A write may set an alarm that comes before the burst's end: the burst then ends here, wherever it was cut. So it
   * does after a write that made devices do much.
   */
  private writeBus(address: number, size: 1 | 2 | 4, value: number): boolean {
    const known = this.board.bus.write(address, size, value);
    if (this.board.nextAlarm() !== this.knownAlarm) {
      this.knownAlarm = this.board.nextAlarm();
      this.hart.requestExit();
    }
    if (this.ram.work > BURST_WORK || this.full || this.waits) this.hart.requestExit();
    return known;
  }

  /** Idle, with time to make up for: sleeps through it, up to the next timer. False: there is none. */
  private sleepOn(): boolean {
    const missed = this.clock?.missed(this.wall) ?? 0n;
    if (missed === 0n) return false;
    const wakeAfter = this.wakeAfter() ?? missed;
    const slept = wakeAfter < missed ? wakeAfter : missed;
    this.hart.time += (slept + TICK_NANOSECONDS - 1n) / TICK_NANOSECONDS;
    return true;
  }

  private stepsUntilAlarm(): number {
    if (this.knownAlarm === undefined) return Infinity;
    return Math.max(
      1,
      Number(
        this.hart.stepsUntil((this.knownAlarm - this.powerOnWall + TICK_NANOSECONDS - 1n) / TICK_NANOSECONDS),
      ),
    );
  }

  private alarmIsDue(): boolean {
    return this.knownAlarm !== undefined && this.knownAlarm <= this.wall;
  }

  /** Nanoseconds until a timer of the hart or an alarm of a device; undefined when there is neither. */
  private wakeAfter(): bigint | undefined {
    const ticks = this.harts.ticksUntilTimer;
    const timer = ticks === undefined ? undefined : ticks * TICK_NANOSECONDS;
    const alarm = this.knownAlarm === undefined ? undefined : this.knownAlarm - this.wall;
    if (timer === undefined || alarm === undefined) return timer ?? alarm;
    return timer < alarm ? timer : alarm;
  }
}

function checkDisks({ disks }: BoardDefinition, files: readonly Uint8Array[]): void {
  if (files.length > MAX_DISKS) {
    throw new ImageError(`${files.length} disks: this machine has places for ${MAX_DISKS}; give fewer`);
  }
  const empty = files.findIndex(({ length }) => length === 0);
  if (empty >= 0) {
    throw new ImageError(
      `the disk ${disks?.[empty]?.name ?? empty} has no bytes; give an image of the disk's size`,
    );
  }
}

function checkCommandLine(commandLine: string): void {
  if (commandLine.includes('\0')) {
    throw new ImageError('the kernel command line has a NUL character, which would end it; leave it out');
  }
}
