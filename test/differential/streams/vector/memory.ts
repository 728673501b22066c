import { loadsAndStores } from '../../../../engine/isa/v/loads-stores';
import type { Instruction } from '../../../../engine/isa/instruction';
import type { Draw } from '../../draw';
import { testBase, testPages } from '../../page-tables';
import type { Group, Stream } from '../../program';
import { pagingStream } from '../paging';
import { fresh, profile, target } from './arithmetic';
import { configure, control, typeOf } from './configuration';
import { register } from './operands';

const sews = [0, 1, 2, 3] as const;

/** Where the data lie: s10 and a distance, or an address of its own. */
type Place = (draw: Draw, mnemonic: string) => { readonly setup: readonly string[]; readonly base: string };

const eewOf = (mnemonic: string): number => Math.log2(Number(/ei?(\d+)/.exec(mnemonic)?.[1] ?? 8) / 8);

/** Every index made less than 2 KiB: otherwise hardly any access would find memory. */
function tameIndices(index: string, eew: number, emul: number): readonly string[] {
  const masks = ['-1', '0x07ff07ff07ff07ff', '0x000007ff000007ff', '0x7ff'] as const;
  return [
    'csrr x28, vl',
    'csrr x29, vtype',
    'vsetvli x0, x0, e8, m1, ta, ma',
    `vsetvli x23, x0, e64, m${1 << Math.min(3, Math.max(0, emul))}, ta, ma`,
    `li x23, ${masks[eew] ?? '-1'}`,
    `vand.vx ${index}, ${index}, x23`,
    'vsetvl x0, x28, x29',
  ];
}

/** Whether two groups may share a register, the second being of `count`. */
function span(first: string, emul: number, second: string, count: number): boolean {
  const [a, b] = [Number(first.slice(1)), Number(second.slice(1))];
  return a < b + count && b < a + 2 ** Math.max(0, emul);
}

/** A group of up to eight registers that none of the eight from this one on belongs to. */
const apart = (register: string): string => (Number(register.slice(1)) <= 16 ? 'v24' : 'v8');

const indexed = ({ mnemonic }: Instruction): boolean => /x(seg\d)?ei/.test(mnemonic);

/** Random accesses: one, or some that find their places by the same indices, which take ten instructions to prepare. */
function access(draw: Draw, place: Place): Group {
  const row = draw.random.pick(loadsAndStores);
  const first = instanceOf(draw, row, place);
  if (!indexed(row) || draw.random.chance(0.03)) return first.lines;
  const eew = eewOf(row.mnemonic);
  const alike = loadsAndStores.filter((other) => indexed(other) && eewOf(other.mnemonic) === eew);
  const { sew, lmul } = typeOf(draw);
  const others = Array.from({ length: 2 }, () =>
    instanceOf(draw, draw.random.pick(alike), place, first.index),
  );
  return [
    ...tameIndices(first.index, eew, lmul + eew - sew),
    ...first.lines,
    ...others.flatMap(({ lines }) => lines),
  ];
}

/** One access, and the register that its indices begin in. */
function instanceOf(
  draw: Draw,
  row: Instruction,
  place: Place,
  indices?: string,
): { readonly lines: Group; readonly index: string } {
  const { random } = draw;
  const { mnemonic, syntax } = row;
  const { sew, lmul } = typeOf(draw);
  const eew = eewOf(mnemonic);
  const emul = lmul + eew - sew;
  const wholes = /^v[ls](\d)r/.exec(mnemonic);
  const data = wholes
    ? Math.log2(Number(wholes[1]))
    : /^v[ls]m\.v/.test(mnemonic)
      ? 0
      : indexed(row)
        ? lmul
        : emul;
  const masked = syntax.endsWith('vm') && random.chance(0.4);
  const { setup, base } = place(draw, mnemonic);
  const index = indices ?? register(draw, indexed(row) ? emul : 0, masked);
  const group = register(draw, data, masked);
  const store = mnemonic.startsWith('vs');
  // QEMU stores v0 under itself, though it is read with two widths then, and lets a segment store read its second and
  // later fields from the registers of the indices.
  const overlap = store && mnemonic.includes('seg') && span(index, emul, group, 8);
  const vd = overlap ? apart(index) : store && masked && group === 'v0' ? 'v8' : group;
  const stride = draw.target() === base ? 'x0' : draw.target();
  const strides = [0, 1, -1, 1 << eew, -(1 << eew), 24, random.between(-64, 64)] as const;
  const operands = syntax
    .replace(/vd|vs3/, vd)
    .replace('rs1', base)
    .replace('rs2', stride)
    .replace('vs2', index)
    .replace(/, vm$/, masked ? ', v0.t' : '');
  const lines = [
    ...(syntax.includes('rs2') && stride !== 'x0' && stride !== base
      ? [`li ${stride}, ${random.pick(strides)}`]
      : []),
    ...setup,
    // Behind the end, QEMU 11 fails an assertion.
    ...(/^v[ls](\dr|m)/.test(mnemonic) ? [`csrwi vstart, ${random.below(2)}`] : []),
    `${mnemonic} ${operands}`,
  ];
  return { lines, index };
}

const near: Place = (draw, mnemonic) => {
  // Where there is no memory, QEMU shortens vl before the first element traps.
  if (!mnemonic.includes('ff.') && draw.random.chance(0.02)) {
    const base = draw.target();
    return { setup: [`li ${base}, ${draw.nowhere()}`], base };
  }
  return draw.address(8, 0.3);
};

export const memoryStream: Stream = {
  name: 'v-memory',
  target,
  length: 120,
  profile,
  group(draw) {
    const choice = draw.random.below(100);
    if (choice < 12) return configure(draw, sews);
    if (choice < 15) return control(draw);
    if (choice < 25) return fresh(draw, [2]);
    return access(draw, near);
  },
};

/** Somewhere in the pages that random leaves map, often near a border. */
const mapped: Place = (draw, mnemonic) => {
  const { random } = draw;
  const base = draw.target();
  const page = testBase + BigInt(random.below(testPages) * 4096);
  const anywhere = random.chance(0.6) ? 4096 - random.below(80) : random.below(4096);
  // QEMU accesses whole registers in units of 16 bytes and leaves in vstart where the unit begins; and nothing of the
  // first segment of a fault-only-first load when a part of it faults.
  const unit = /^v[ls]\dr/.test(mnemonic) ? 16 : mnemonic.includes('ff.') ? 64 : 1;
  const offset = anywhere & -unit;
  return { setup: [`li ${base}, ${BigInt.asIntN(64, page + BigInt(offset))}`], base };
};

/** Page faults in mid-access: programs go on with vstart as the trap left it. */
export const pagedMemoryStream: Stream = {
  name: 'v-paging',
  target,
  length: 80,
  profile: (random) => {
    let start = pagingStream.profile(random);
    while (start.mode === 3) start = pagingStream.profile(random);
    return { ...start, mstatus: start.mstatus | 0x200n };
  },
  group(draw) {
    const choice = draw.random.below(100);
    if (choice < 20) return configure(draw, sews);
    if (choice < 23) return ['csrwi vstart, 0'];
    if (choice < 33) return fresh(draw, [2]);
    return access(draw, mapped);
  },
};
