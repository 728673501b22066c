import type { Draw } from '../draw';
import { plainProfile, type Group, type Mode, type Stream } from '../program';
import { withNewer } from '../target';
import { arithmetic, loadOrStore } from './integer';
import { address, pagingStream } from './paging';
import { ascend, descend } from './privileged';

const operations = ['cbo.inval', 'cbo.clean', 'cbo.flush', 'cbo.zero', 'cbo.zero'] as const;
const target = withNewer('zicbom', 'zicboz');

/** CBIE without its reserved value, CBCFE and CBZE; see `legal-differences.ts`. */
function enables(draw: Draw): number {
  const { random } = draw;
  const all = random.chance(0.4) ? 0xf0 : random.below(16) << 4;
  return (all & 0x30) === 0x20 ? all | 0x10 : all;
}

/** From wherever the program is. */
function configure(draw: Draw): Group {
  const register = draw.target();
  const csr = draw.random.pick(['menvcfg', 'menvcfg', 'senvcfg']);
  return [
    ...ascend,
    `li ${register}, ${enables(draw)}`,
    `csrw ${csr}, ${register}`,
    `csrr ${register}, ${csr}`,
  ];
}

function operation(draw: Draw): Group {
  const { random } = draw;
  const mnemonic = random.pick(operations);
  const base = draw.target();
  if (random.chance(0.05))
    return [`li ${base}, ${draw.nowhere() + BigInt(random.below(64))}`, `${mnemonic} (${base})`];
  const aligned = random.chance(0.5);
  return [
    `addi ${base}, s10, ${draw.dataOffset(1)}`,
    ...(aligned ? [`andi ${base}, ${base}, -64`] : []),
    `${mnemonic} (${base})`,
  ];
}

export const cacheBlocks: Stream = {
  name: 'zicbom and zicboz',
  target,
  length: 100,
  profile: (random) => ({ ...plainProfile, mode: random.pick([3, 1, 0]) }),
  group(draw) {
    const choice = draw.random.below(20);
    if (choice < 3) return configure(draw);
    if (choice < 6) return descend(draw, draw.random.pick<Mode>([0, 1]));
    if (choice < 15) return operation(draw);
    return choice < 18 ? loadOrStore(draw) : [arithmetic(draw)];
  },
};

/** Through random page tables, in M-mode with the rights of another one: there nothing has to be enabled. */
export const cacheBlocksPaged: Stream = {
  name: 'zicbom and zicboz, paged',
  target,
  length: 80,
  profile(random) {
    let profile = pagingStream.profile(random);
    while (profile.mode !== 3) profile = pagingStream.profile(random);
    return profile;
  },
  group(draw) {
    const { random } = draw;
    if (random.chance(0.3)) return pagingStream.group(draw);
    const register = draw.target();
    const mode = random.pick([0, 0x800]);
    return [
      `li ${register}, 0x1800`,
      `csrc mstatus, ${register}`,
      `li ${register}, ${0x20000 | mode}`,
      `csrs mstatus, ${register}`,
      `li ${register}, ${BigInt.asIntN(64, address(draw, 1))}`,
      `${random.pick(operations)} (${register})`,
      `li ${register}, 0x20000`,
      `csrc mstatus, ${register}`,
    ];
  },
};
