/** A deterministic guest without an engine: pages, console, timers and input as a function of what it has executed. */
import { ImageError, PAGE_SIZE, type Exit, type Guest, type RunBudget } from '../../engine/models/guest';
import { StateError } from '../../engine/snapshot/errors';
import { FakeSpace } from './fake-space';

export interface FakeProgram {
  /** Powers off after so many instructions. */
  readonly length: number;
  /** Instructions before which it sleeps for so many nanoseconds. */
  readonly sleeps?: Readonly<Record<number, number>>;
  /** Instructions before which it waits for a line of input, which it prints back. */
  readonly reads?: readonly number[];
  /** Instructions at which it asks for a reset, if its disk says that it has not done so yet. */
  readonly resetsAt?: number;
  readonly faultsAt?: number;
  /** Instructions before which it waits for an event, and answers it. Absent: it takes no events. */
  readonly answers?: readonly number[];
}

interface State {
  instructions: number;
  random: number;
  sleptAt: number;
  sleepLeft: number;
  readAt: number;
  line: string;
  input: string;
  answeredAt: number;
  events: string[];
  ticks: number;
}

const RAM_PAGES = 200;

export class FakeGuest implements Guest {
  readonly ram = new FakeSpace('ram', RAM_PAGES);
  readonly disk = new FakeSpace('disk0', 100);
  readonly spaces = [this.ram, this.disk];
  /** No part of its state. */
  private profile: Uint8Array | undefined;
  private output = '';
  private results: Uint8Array[] = [];
  private state: State = {
    instructions: 0,
    random: 1,
    sleptAt: -1,
    sleepLeft: 0,
    readAt: -1,
    line: '',
    input: '',
    answeredAt: -1,
    events: [],
    ticks: 0,
  };

  constructor(private readonly program: FakeProgram) {}

  get instructions(): number {
    return this.state.instructions;
  }

  get exits(): Readonly<Record<string, number>> {
    return { steps: this.state.instructions, nothing: 1 };
  }

  deliver(event: Uint8Array): void {
    if (this.program.answers === undefined)
      throw new ImageError('this guest takes no events; give it a reader');
    this.state.events.push(new TextDecoder().decode(event));
  }
  takeResults(): Uint8Array[] {
    const taken = this.results;
    this.results = [];
    return taken;
  }

  run(budget: RunBudget): Exit {
    const { state, program } = this;
    const end = state.instructions + budget.instructions;
    while (state.instructions < end) {
      if (state.instructions % 16 === 15 && budget.expired?.() === true) return { reason: 'budget' };
      const now = state.instructions;
      if (now >= program.length) {
        return { reason: 'halted', how: 'power-off', code: 0 };
      }
      const idle = this.sleeping(now) ?? this.reading(now) ?? this.answering(now);
      if (idle !== undefined) return idle;
      if (now === program.faultsAt) return { reason: 'fault', message: 'wild jump; use another guest' };
      this.step(now);
      if (now === program.resetsAt && this.disk.read(99)[0] === 0) {
        this.disk.write(99, new Uint8Array(PAGE_SIZE).fill(1));
        return { reason: 'halted', how: 'reset', code: 0 };
      }
    }
    return { reason: 'budget' };
  }

  private sleeping(now: number): Exit | undefined {
    const { state, program } = this;
    const sleep = program.sleeps?.[now];
    if (sleep !== undefined && state.sleptAt !== now) {
      state.sleptAt = now;
      state.sleepLeft = sleep;
    }
    return state.sleepLeft > 0 ? { reason: 'idle', wakeAfter: BigInt(state.sleepLeft) } : undefined;
  }

  private reading(now: number): Exit | undefined {
    const { state, program } = this;
    if (program.reads?.includes(now) !== true || state.readAt === now) return undefined;
    const newline = state.input.indexOf('\n');
    if (newline < 0) return { reason: 'idle', wakeAfter: undefined };
    state.readAt = now;
    this.output += `read at ${now}: ${state.input.slice(0, newline + 1)}`;
    state.input = state.input.slice(newline + 1);
    return undefined;
  }

  private answering(now: number): Exit | undefined {
    const { state, program } = this;
    if (program.answers?.includes(now) !== true || state.answeredAt === now) return undefined;
    const event = state.events.shift();
    if (event === undefined) return { reason: 'idle', wakeAfter: undefined };
    state.answeredAt = now;
    this.results.push(new TextEncoder().encode(`answered at ${now}: ${event}`));
    return undefined;
  }

  private step(now: number): void {
    const { state } = this;
    state.random = (Math.imul(state.random, 1664525) + 1013904223 + now) >>> 0;
    state.ticks += 1;
    const page = state.random % RAM_PAGES;
    if (now % 3 === 0) {
      const bytes = this.ram.read(page).slice();
      bytes.fill(state.random >>> 8, (state.random >>> 16) % PAGE_SIZE);
      this.ram.write(page, bytes);
    }
    if (now % 11 === 0) this.ram.write(page, new Uint8Array(PAGE_SIZE));
    if (now % 17 === 0) this.ram.write(page, this.ram.read((page + 1) % RAM_PAGES));
    if (now % 29 === 0) this.disk.write(page % 98, this.ram.read(page));
    if (now % 7 === 0) this.output += `${now} at ${state.ticks}: ${state.random}\n`;
    state.instructions += 1;
  }

  takeOutput(): Uint8Array {
    const bytes = new TextEncoder().encode(this.output);
    this.output = '';
    return bytes;
  }

  type(bytes: Uint8Array): void {
    this.state.input += new TextDecoder().decode(bytes);
  }

  skipIdle(nanoseconds: bigint): void {
    this.state.sleepLeft = Math.max(0, this.state.sleepLeft - Number(nanoseconds));
    this.state.ticks += Number(nanoseconds) / 1000;
  }

  save(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify(this.state));
  }

  restore(state: Uint8Array): void {
    try {
      this.state = JSON.parse(new TextDecoder().decode(state)) as State;
    } catch {
      throw new StateError('no state of a fake guest');
    }
  }

  /** Says once what was hot, unless it was told. */
  takeProfile(): Uint8Array | undefined {
    if (this.profile !== undefined || this.state.instructions < 30) return undefined;
    return (this.profile = Uint8Array.of(this.state.instructions));
  }
  useProfile(profile: Uint8Array): void {
    if (profile.length !== 1) throw new StateError('no profile of a fake guest');
    this.profile = profile;
  }

  /** All of the guest, comparable. */
  value(): unknown {
    return { state: { ...this.state }, spaces: this.spaces.map((space) => [space.name, space.value()]) };
  }
}
