/**
 * What the porter's rules bring: the kernel's own functions for clearing and
 * copying of pages, as they are and ported, alone; and of the boot, what each
 * rule saves, as what a boot without it costs more.
 */
import { Harts } from '../../../engine/cpu/harts';
import { assemble } from '../../../engine/isa/assembler';
import { paravirt as hypercalls } from '../../../engine/isa/paravirt';
import { KERNEL_OFFSET } from '../../../engine/models/linux-image';
import { RAM_BASE } from '../../../engine/models/machine/memory-map';
import { instructionTable } from '../../../engine/models/paravirt/porter/code';
import { KernelSymbols } from '../../../engine/models/paravirt/porter/kallsyms';
import { portKernel } from '../../../engine/models/paravirt/porter/port';
import { rules } from '../../../engine/models/paravirt/porter/rules';
import { enterKernel } from '../../../engine/models/paravirt/supervisor';
import { DebianImage, runUntil } from '../../guests/debian';
import { median, range } from '../statistics';
import type { Figure, Workload } from '../workload';

const NAME = 'porter';
const TARGET = 0.4;
const RAM_SIZE = 64 * 2 ** 20;
const PAGES = 20_000;
/** Instructions to which a boot is measured. */
const RESOLUTION = 1e5;
/** Physical addresses: below the kernel there is room for the loop and for sixteen pages to read and to write. */
const ARENA = { loop: RAM_BASE, source: RAM_BASE + 0x10_0000, target: RAM_BASE + 0x14_0000 } as const;

interface Primitive {
  readonly name: string;
  readonly symbol: string;
  /** Arguments a0, a1, a2: registers that hold target, source and a page's size. */
  readonly args: readonly string[];
}
const [TARGET_PAGE, SOURCE_PAGE, SIZE] = ['s0', 's1', 's2'] as const;
const primitives: readonly Primitive[] = [
  { name: 'clear_page', symbol: 'clear_page', args: [TARGET_PAGE] },
  { name: 'copy_page (memcpy)', symbol: '__memcpy', args: [TARGET_PAGE, SOURCE_PAGE, SIZE] },
  { name: 'memmove of a page', symbol: '__memmove', args: [TARGET_PAGE, SOURCE_PAGE, SIZE] },
  {
    name: 'copy_to_user of a page',
    symbol: 'fallback_scalar_usercopy_sum_enabled',
    args: [TARGET_PAGE, SOURCE_PAGE, SIZE],
  },
  { name: 'clear_user of a page', symbol: '__clear_user', args: [TARGET_PAGE, SIZE] },
];

/** Calls the function at s6 again and again, with pages from sixteen in turn. */
function loop({ args }: Primitive): Uint8Array {
  const moves = args.map((register, i) => `addi a${i}, ${register}, 0`);
  const body = [
    'andi t0, s3, 15',
    'slli t0, t0, 12',
    `add ${TARGET_PAGE}, s4, t0`,
    `add ${SOURCE_PAGE}, s5, t0`,
    ...moves,
    'jalr ra, 0(s6)',
    'addi s3, s3, -1',
  ];
  const lines = [...body, `bne s3, zero, ${-4 * body.length}`, 'ecall'];
  return Uint8Array.from(
    lines.flatMap((line) => {
      const { word } = assemble(line, instructionTable);
      return [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff);
    }),
  );
}

const noBus = { read: () => undefined, write: () => false };

/** A hart in S-mode without translation, as the kernel's first instructions are, with nothing but the kernel in RAM. */
function measure(
  kernel: Uint8Array,
  primitive: Primitive,
  offset: number,
): { instructions: number; ms: number } {
  const options = { ramSize: RAM_SIZE, bus: noBus, extensions: [hypercalls.name], monitor: true };
  const harts = new Harts(1, options);
  const { hart } = harts;
  const entry = RAM_BASE + KERNEL_OFFSET;
  hart.ram.set(kernel, KERNEL_OFFSET);
  hart.ram.set(loop(primitive), ARENA.loop - RAM_BASE);
  enterKernel(harts, 0, BigInt(ARENA.loop), 0n);
  const registers = { 18: 4096, 19: PAGES, 20: ARENA.target, 21: ARENA.source, 22: entry + offset };
  for (const [register, value] of Object.entries(registers)) hart.setX(Number(register), BigInt(value));
  const start = performance.now();
  const exit = hart.run(1e9);
  const ms = performance.now() - start;
  if (exit !== 'trap' || hart.x(19) !== 0n) throw new Error(`${primitive.name} ended with ${exit}`);
  return { instructions: Number(hart.steps), ms };
}

function functions(image: DebianImage, runs: number): Figure[] {
  const plain = image.files.kernel;
  const ported = plain.slice();
  for (const { offset, bytes } of portKernel('vmlinuz', plain).patches) ported.set(bytes, offset);
  const symbols = KernelSymbols.read('vmlinuz', plain).find(primitives.map(({ symbol }) => symbol));
  return primitives.flatMap((primitive) => {
    const symbol = symbols.get(primitive.symbol);
    if (!symbol) throw new Error(`the kernel has no ${primitive.symbol}`);
    const once = (kernel: Uint8Array) => measure(kernel, primitive, symbol.offset);
    const pairs = Array.from({ length: runs }, () => [once(plain), once(ported)] as const);
    return (['instructions', 'ms'] as const).map((key): Figure => {
      const values = pairs.map(([whole, part]) => part[key] / whole[key]);
      const what = key === 'ms' ? 'wall time' : 'instructions';
      return {
        name: `${primitive.name}, ${what}`,
        value: median(values),
        unit: 'x',
        range: range(values),
        target: TARGET,
      };
    });
  });
}

/** Deterministic: one boot each says it all. */
function contributions(image: DebianImage, progress: (line: string) => void): Figure[] {
  const boot = (without: string | undefined): number => {
    const guest = image.createParavirt(
      {},
      {},
      rules.filter(({ name }) => name !== without),
    );
    runUntil(guest, 'userspace reached', 5e9, RESOLUTION);
    progress(`boot ${without ? `without ${without}` : 'with all rules'}: ${guest.instructions} instructions`);
    return guest.instructions;
  };
  const all = boot(undefined);
  const report = portKernel('vmlinuz', image.files.kernel).report.rules;
  return report
    .filter(({ outcome }) => outcome === 'replaced')
    .map(({ rule }) => ({ name: `boot without ${rule}`, value: boot(rule) / all, unit: 'x' }));
}

export const porter: Workload = {
  name: NAME,
  title:
    'porting rules: the kernel’s functions ported against unported, and boots without one rule against all',
  run({ runs, progress }) {
    const image = new DebianImage();
    return Promise.resolve({
      workload: NAME,
      runs,
      figures: [...functions(image, runs), ...contributions(image, progress)],
    });
  },
};
