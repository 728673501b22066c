import { codeBase } from '../layout';
import type { Draw } from '../draw';
import { plainProfile, type Group, type Stream } from '../program';
import { withNewer } from '../target';
import { loadOrStore } from './integer';
import { ascend } from './privileged';
import { descend, modifiedPrivilege } from './protection';

// mseccfg
const MML = 1;
const MMWP = 2;
const RLB = 4;

// pmpcfg
const L = 0x80;
const X = 4;
const W = 2;
const NAPOT = 0x18;
const NA4 = 0x10;

/** Two MiB from `codeBase` on, as a pmpaddr. */
const codeRange = (codeBase >> 2n) | 0x3ffffn;

/**
 * Entry 5 is the rig's code: what M-mode may read and execute, and the others execute. Entry 6, everything, is data
 * that all share. Without both M-mode's handlers could not run. Entries 0..4 are small pieces of the data around s10,
 * with any rule. Before MML is set the code is M-mode's alone, since the other has no meaning yet.
 */
function configure(draw: Draw): Group {
  const { random } = draw;
  const lines: string[] = [
    `csrsi 0x747, ${RLB}`,
    `li s9, ${codeRange}`,
    'csrw pmpaddr5, s9',
    'li s9, -1',
    'srli s9, s9, 10',
    'csrw pmpaddr6, s9',
  ];
  let pieces = 0n;
  for (let entry = 0; entry < 5; entry += 1) {
    const rule = random.below(8) | (random.chance(0.5) ? L : 0) | random.pick([0, NA4, NAPOT, NAPOT]);
    pieces |= BigInt(rule) << BigInt(entry * 8);
    const ones = random.below(7);
    lines.push('srli s9, s10, 2', `addi s9, s9, ${random.between(-512, 511)}`);
    lines.push(`ori s9, s9, ${(1 << ones) - 1}`, `andi s9, s9, ${~(1 << ones)}`, `csrw pmpaddr${entry}, s9`);
  }
  const rest = (code: number, data: number): bigint => (BigInt(code) << 40n) | (BigInt(data) << 48n);
  const shared = rest(L | X | W | NAPOT, X | W | NAPOT);
  const write = (configuration: bigint): string[] => [
    `li s9, ${BigInt.asIntN(64, configuration)}`,
    'csrw pmpcfg0, s9',
  ];
  return [
    ...lines,
    ...write(rest(L | X | NAPOT, X | W | 1 | NAPOT)),
    `csrsi 0x747, ${MML}`,
    ...write(shared | pieces),
    random.chance(0.3) ? `csrsi 0x747, ${MMWP}` : `csrci 0x747, ${random.pick([MML, MMWP])}`,
    'sfence.vma',
    `csrr ${draw.target()}, pmpcfg0`,
    `csrr ${draw.target()}, 0x747`,
  ];
}

export const lockdown: Stream = {
  name: 'smepmp',
  target: withNewer('smepmp'),
  alone: true,
  length: 300,
  profile: () => plainProfile,
  group(draw) {
    const choice = draw.random.below(20);
    if (choice < 3) return [...ascend, ...configure(draw)];
    if (choice < 6) return descend(draw);
    if (choice < 8) return ascend;
    return choice < 12 ? modifiedPrivilege(draw) : loadOrStore(draw, 0);
  },
};
