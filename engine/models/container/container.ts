/** The container: programs in user mode of one hart, on the monitor's own Linux system calls. */
import { ConsoleLog } from '../../backends/console';
import { CallerRandom, SeededRandom } from '../../backends/random';
import { exitCounters } from '../../cpu/exit-counters';
import { Hart } from '../../cpu/hart';
import { Inspection, alone } from '../../cpu/inspection';
import { baseNames } from '../../isa/extensions';
import { Ram } from '../../memory/ram';
import { bytes, optional, record } from '../../snapshot/codec';
import { StateError } from '../../snapshot/errors';
import {
  type ContainerDefinition,
  type Exit,
  type ExitCounts,
  type Guest,
  type GuestFiles,
  type HostServices,
  ImageError,
  type PageSpace,
  type RunBudget,
} from '../guest';
import { checkExtensions, checkMemory } from '../checks';
import { DETERMINISTIC_EPOCH, TICK_NANOSECONDS } from '../guest-time';
import { HostClock } from '../host-clock';
import { EventRunner } from './events';
import { FileStore } from './fsimpl/file-store';
import { treeOfLayers } from './fsimpl/image/layers';
import { prepareHart } from './hart-setup';
import { Kernel } from './kernel/kernel';
import { nextDeadline, runTasks } from './kernel/scheduler';
import { startInit } from './kernel/start';
import { restoreKernel } from './state/restore';
import { saveKernel } from './state/save';
import { buildTree } from './kernel/tree';
import { Frames } from './mm/frames';
import { Terminal } from './tty/terminal';
import type { FileSystem } from './vfs/file-system';

const RAM_BASE = 0x80000000;
const DEFAULT_PIDS = 256;
/** Bytes that files of the writable layer may hold. */
const WRITABLE_SIZE = 2 ** 30;
/** Turns of the scheduler between two looks at `expired`. */
const CHECKS = 64;

const layout = record('container', 1, { kernel: bytes, events: bytes, random: optional(bytes) });

export class Container implements Guest {
  readonly spaces: readonly PageSpace[];
  readonly inspection: Inspection;
  private readonly hart: Hart;
  private readonly kernel: Kernel;
  private readonly console = new ConsoleLog();
  private readonly seeded: SeededRandom | undefined;
  /** Undefined in deterministic mode. */
  private readonly clock: HostClock | undefined;
  private readonly skipsIdle: boolean;
  private readonly fileSystems: readonly FileSystem[];
  private readonly store = new FileStore(WRITABLE_SIZE);
  private readonly events: EventRunner;
  private checks = 0;

  /** @throws ImageError when the definition or its files cannot become a container */
  constructor(definition: ContainerDefinition, files: GuestFiles, host: HostServices) {
    check(definition, files);
    const { clock } = definition;
    this.clock = clock === 'deterministic' ? undefined : new HostClock(clock, host.now);
    this.seeded = this.clock ? undefined : new SeededRandom(definition.seed ?? 0);
    this.skipsIdle = clock !== 'real';
    const extensions = checkExtensions(definition.cpu);
    this.hart = new Hart({
      ramSize: definition.memory,
      extensions,
      bus: { read: () => undefined, write: () => false },
      monitor: true,
      ...(host.engine && { engine: host.engine }),
      ...(host.instructions && { trace: host.instructions }),
    });
    this.inspection = new Inspection(alone(this.hart));
    prepareHart(this.hart, extensions);
    const ram = new Ram({
      base: RAM_BASE,
      bytes: this.hart.ram,
      flags: this.hart.pageFlags,
      cleaned: () => this.hart.watchPages(),
      changed: (page, pages) => this.hart.ramChanged(page, pages),
    });
    this.spaces = [ram, this.store];
    this.kernel = new Kernel({
      hart: this.hart,
      frames: new Frames(this.hart.ram, this.hart.pageFlags, (frame) => this.hart.ramChanged(frame, 1)),
      random: this.seeded ?? new CallerRandom(host.fillRandom),
      epoch: this.clock ? host.now() : DETERMINISTIC_EPOCH,
      pidLimit: definition.pids ?? DEFAULT_PIDS,
      hostname: definition.hostname ?? 'container',
      extensions: [...baseNames, ...extensions],
    });
    this.kernel.log = host.trace;
    this.kernel.terminal = new Terminal(this.kernel, (output) => this.console.appendAll(output));
    const layers = (files.layers ?? []).map((archive, i) => ({
      name: definition.layers[i]?.name ?? `layer ${i}`,
      archive,
    }));
    this.fileSystems = buildTree(this.kernel, treeOfLayers(layers), this.store);
    this.events = new EventRunner(this.kernel, definition);
    startInit(this.kernel, definition);
  }

  get instructions(): number {
    return this.kernel.steps;
  }

  get exits(): ExitCounts {
    const ofHart = exitCounters.map(([cell, name]) => [name, Number(this.hart.cell(cell))] as const);
    return Object.fromEntries([...ofHart, ...this.kernel.counters].filter(([, count]) => count > 0));
  }

  run({ instructions, expired }: RunBudget): Exit {
    const { kernel } = this;
    const end = kernel.steps + instructions;
    this.clock?.begin(this.wall);
    this.advanceClock();
    const stop = runTasks(kernel, end, () => {
      this.events.start();
      if (this.console.full) return true;
      if (this.checks++ % CHECKS !== 0) return false;
      this.advanceClock();
      return expired?.() ?? false;
    });
    if (stop === 'halted' && kernel.halted) return { reason: 'halted', ...kernel.halted };
    if (stop === 'budget') return { reason: 'budget' };
    const deadline = nextDeadline(kernel);
    return { reason: 'idle', wakeAfter: deadline === undefined ? undefined : deadline - kernel.now };
  }

  takeOutput(): Uint8Array {
    return this.console.take();
  }
  type(typed: Uint8Array): void {
    this.kernel.terminal.type(typed);
  }
  deliver(event: Uint8Array): void {
    this.events.deliver(event);
  }
  takeResults(): Uint8Array[] {
    return this.events.take();
  }

  skipIdle(nanoseconds: bigint): void {
    if (this.skipsIdle) this.pass(nanoseconds);
  }

  save(): Uint8Array {
    return layout.encode({
      kernel: saveKernel(this.kernel, this.fileSystems),
      events: this.events.save(),
      random: this.seeded?.save(),
    });
  }

  takeProfile(): Uint8Array | undefined {
    return this.hart.takeProfile();
  }
  useProfile(profile: Uint8Array): void {
    this.hart.useProfile(profile);
  }

  restore(state: Uint8Array): void {
    const saved = layout.decode(state);
    if ((saved.random === undefined) !== (this.seeded === undefined)) {
      throw new StateError(
        `${layout.name}: saved by a guest with the other kind of clock; restore into the same guest`,
      );
    }
    this.events.restore(saved.events);
    restoreKernel(this.kernel, this.fileSystems, this.store, saved.kernel, this.events);
    if (saved.random) this.seeded?.restore(saved.random);
  }

  /** The guest's wall clock, nanoseconds since the Unix epoch. */
  private get wall(): bigint {
    return this.kernel.epoch + this.hart.time * TICK_NANOSECONDS;
  }

  /** There is no watchdog in this kernel: what was missed is made up for at once. */
  private advanceClock(): void {
    const behind = this.clock?.behind(this.wall) ?? 0n;
    if (behind >= TICK_NANOSECONDS) this.pass(behind - (behind % TICK_NANOSECONDS));
  }

  private pass(nanoseconds: bigint): void {
    this.hart.time += (nanoseconds + TICK_NANOSECONDS - 1n) / TICK_NANOSECONDS;
    this.kernel.stirred = true;
  }
}

function check(definition: ContainerDefinition, files: GuestFiles): void {
  const { memory, command, layers, pids = DEFAULT_PIDS } = definition;
  checkMemory(memory);
  if (command.length === 0) throw new ImageError('the command is empty: name a program of the image');
  if ((files.layers ?? []).length !== layers.length) {
    throw new ImageError(`${layers.length} layers are declared and ${files.layers?.length ?? 0} were given`);
  }
  if (!Number.isInteger(pids) || pids < 1 || pids > 32767) {
    throw new ImageError(`a limit of ${pids} tasks: give a whole number from 1 to 32767`);
  }
}
