import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fields, indexOf } from './architectural-state';
import { codeBase, memoryMebibytes } from './layout';
import type { SteppableHart } from './lockstep';
import { qemuArguments, TraceParser } from './qemu';
import { standard, type Target } from './target';

/** Spoils a state in place, given the instruction before it: what a broken hart would do. */
export type Flaw = (instruction: number, state: BigUint64Array) => void;

/** A hart that replays a QEMU run of its own, spoiled on purpose: judges the rig itself. */
export class RecordedHart implements SteppableHart {
  private readonly memory = new Uint8Array(8 << 20);
  private states: BigUint64Array[] | undefined;
  private position = 0;

  constructor(
    private readonly flaw: Flaw = () => undefined,
    private readonly target: Target = standard,
  ) {}

  loadImage(address: bigint, bytes: Uint8Array): void {
    this.memory.set(bytes, Number(address - codeBase));
  }
  step(): void {
    this.position = Math.min(this.position + 1, this.run().length - 1);
  }
  pc(): bigint {
    return this.field('pc');
  }
  privilege(): number {
    return Number(this.field('privilege'));
  }
  x(index: number): bigint {
    return index === 0 ? 0n : this.field(`x${index}`);
  }
  f(index: number): bigint {
    return this.field(`f${index}`);
  }
  v(index: number, half: 0 | 1): bigint {
    return this.field(`v${index}[${half}]`);
  }
  csr(number: number): bigint {
    const index = fields.findIndex((field) => field.kind === 'csr' && field.csr === number);
    return this.run()[this.position]?.[index] ?? 0n;
  }

  private field(name: string): bigint {
    return this.run()[this.position]?.[indexOf(name)] ?? 0n;
  }

  private run(): BigUint64Array[] {
    return (this.states ??= this.record());
  }

  private record(): BigUint64Array[] {
    const directory = mkdtempSync(join(tmpdir(), 'lockstep-'));
    try {
      const firmware = join(directory, 'image.bin');
      const log = join(directory, 'log');
      writeFileSync(firmware, this.memory);
      const { target } = this;
      spawnSync(target.reference.qemu, qemuArguments(firmware, log, { memoryMebibytes, target }), {
        timeout: 120_000,
      });
      const text = readFileSync(log);
      const parser = new TraceParser(target);
      const states: BigUint64Array[] = [];
      const parsed = [...this.copies(parser, text)];
      for (const state of parsed) {
        const pc = state[0] ?? 0n;
        if (states.length === 0 && pc !== codeBase) continue; // the boot ROM
        const previous = states.at(-1);
        if (previous) this.flaw(this.instructionAt(previous[0] ?? 0n), state);
        states.push(state);
      }
      return states;
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  private *copies(parser: TraceParser, text: Buffer): Generator<BigUint64Array> {
    for (const { values } of parser.push(text, text.length)) yield values.slice();
    for (const { values } of parser.push(text, 0)) yield values.slice();
  }

  private instructionAt(pc: bigint): number {
    const offset = Number(pc - codeBase);
    if (offset < 0 || offset + 4 > this.memory.length) return 0;
    return new DataView(this.memory.buffer).getUint32(offset, true);
  }
}
