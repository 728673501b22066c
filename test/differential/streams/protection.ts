import type { Draw } from '../draw';
import { plainProfile, type Group, type Mode, type Stream } from '../program';
import type { Random } from '../random';
import { loadOrStore } from './integer';
import { ascend } from './privileged';

const matching = { off: 0, topOfRange: 1, fourBytes: 2, powerOfTwo: 3 } as const;

/**
 * Entries 0..6 cover random pieces of the data around s10, entry 7 everything.
 * Entry 0 is never top-of-range: its range would begin at 0 and take the
 * rig's code with it. Locked entries cannot be reset, see `legal-differences.ts`.
 */
function configure(draw: Draw): Group {
  const { random } = draw;
  const lines: string[] = [
    'li s9, -1',
    'srli s9, s9, 10',
    'csrw pmpaddr7, s9',
    'li s9, 0x1f00000000000000',
    'csrw pmpcfg0, s9',
  ];
  let configuration = 0x1fn << 56n;
  for (let entry = 0; entry < 7; entry += 1) {
    const mode = random.pick(
      Object.values(matching).filter((value) => entry > 0 || value !== matching.topOfRange),
    );
    const rights = random.pick([0, 1, 3, 4, 5, 7]);
    configuration |= BigInt((mode << 3) | rights) << BigInt(entry * 8);
    lines.push('srli s9, s10, 2', `addi s9, s9, ${random.between(-512, 511)}`);
    if (mode === matching.powerOfTwo) {
      const ones = random.below(7);
      lines.push(`ori s9, s9, ${(1 << ones) - 1}`);
      // Keeps the piece small whatever bits the address had.
      lines.push(`andi s9, s9, ${~(1 << ones)}`);
    }
    lines.push(`csrw pmpaddr${entry}, s9`);
  }
  return [
    ...lines,
    `li s9, ${configuration}`,
    'csrw pmpcfg0, s9',
    'sfence.vma',
    `csrr ${draw.target()}, pmpcfg0`,
  ];
}

export function modifiedPrivilege(draw: Draw): Group {
  const register = draw.target();
  return [
    `li ${register}, 0x1800`,
    `csrc mstatus, ${register}`,
    `li ${register}, ${0x20000 | draw.random.pick([0, 0x800])}`,
    `csrs mstatus, ${register}`,
    ...loadOrStore(draw, 0),
    `li ${register}, 0x20000`,
    `csrc mstatus, ${register}`,
  ];
}

export function descend(draw: Draw): Group {
  const register = draw.target();
  return [
    `li ${register}, 0x1800`,
    `csrc mstatus, ${register}`,
    `lla ${register}, 1f`,
    `csrw mepc, ${register}`,
    'mret',
    '1:',
  ];
}

export const protection: Stream = {
  name: 'pmp',
  length: 70,
  profile: (random: Random) => ({
    ...plainProfile,
    mode: random.pick<Mode>([3, 1]),
    compressed: random.chance(0.5),
  }),
  group(draw) {
    const choice = draw.random.below(20);
    if (choice < 2) return [...ascend, ...configure(draw)];
    if (choice < 4) return descend(draw);
    if (choice < 5) return ascend;
    if (choice < 6) return [`csrr ${draw.target()}, pmpaddr${draw.random.below(16)}`];
    return choice < 11 ? modifiedPrivilege(draw) : loadOrStore(draw, 0);
  },
};
