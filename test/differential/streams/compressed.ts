import type { Draw } from '../draw';
import { plainProfile, type Group, type Stream } from '../program';
import { arithmetic, loadOrStore } from './integer';

const registerPairs = ['c.and', 'c.or', 'c.xor', 'c.sub', 'c.addw', 'c.subw'] as const;
const nonZero = (draw: Draw): number => {
  const value = draw.random.between(-32, 31);
  return value === 0 ? 1 : value;
};

/** Every compressed instruction once a row. Those relative to sp borrow it and give it back. */
const rows: readonly ((draw: Draw) => Group)[] = [
  (draw) => [`${draw.random.pick(registerPairs)} ${draw.rc()}, ${draw.rc()}`],
  (draw) => [`c.mv ${draw.target()}, ${draw.target()}`],
  (draw) => [`c.add ${draw.target()}, ${draw.target()}`],
  (draw) => [`c.addi ${draw.target()}, ${nonZero(draw)}`],
  (draw) => [`c.addiw ${draw.target()}, ${draw.random.between(-32, 31)}`],
  (draw) => [`c.li ${draw.target()}, ${draw.random.between(-32, 31)}`],
  (draw) => [`c.andi ${draw.rc()}, ${draw.random.between(-32, 31)}`],
  (draw) => [`c.slli ${draw.target()}, ${draw.random.between(1, 63)}`],
  (draw) => [`c.${draw.random.pick(['srli', 'srai'])} ${draw.rc()}, ${draw.random.between(1, 63)}`],
  (draw) => {
    const value = draw.random.pick([1, 2, 31, 0xfffe0, 0xfffff, 0xfffef]);
    return [`c.lui x${draw.random.pick([1, 3, 4, 5, 8, 15, 20, 29])}, ${value}`];
  },
  (draw) => [`c.addi4spn ${draw.rc()}, sp, ${draw.random.between(1, 255) * 4}`],
  (draw) => {
    const value = draw.random.pick([-512, -496, -16, 16, 32, 496]);
    return [`c.addi16sp sp, ${value}`];
  },
  () => ['c.nop'],
  (draw) => {
    const base = draw.rc();
    const [store, load, scale] = draw.random.pick([['c.sw', 'c.lw', 4], ['c.sd', 'c.ld', 8]] as const); // prettier-ignore
    const offset = draw.random.below(32) * scale;
    const misalign = draw.random.chance(0.15) ? draw.random.between(1, 7) : 0;
    const mnemonic = draw.random.pick([store, load]);
    return [
      `addi ${base}, s10, ${draw.random.between(-100, 100) * 8 + misalign}`,
      `${mnemonic} ${draw.rc()}, ${offset}(${base})`,
    ];
  },
  (draw) => {
    const base = draw.rc();
    return [
      `addi ${base}, s10, ${draw.random.between(-100, 100) * 8}`,
      `${draw.random.pick(['c.fld', 'c.fsd'])} ${draw.frc()}, ${draw.random.below(32) * 8}(${base})`,
    ];
  },
  (draw) => {
    const line = draw.random.pick([
      `c.lwsp ${draw.target()}, ${draw.random.below(64) * 4}(sp)`,
      `c.swsp ${draw.target()}, ${draw.random.below(64) * 4}(sp)`,
      `c.ldsp ${draw.target()}, ${draw.random.below(64) * 8}(sp)`,
      `c.sdsp ${draw.target()}, ${draw.random.below(64) * 8}(sp)`,
      `c.fldsp ${draw.fr()}, ${draw.random.below(64) * 8}(sp)`,
      `c.fsdsp ${draw.fr()}, ${draw.random.below(64) * 8}(sp)`,
    ]);
    return [`addi sp, s10, ${draw.random.between(-200, 150) * 8}`, line];
  },
  (draw) => ['c.j 1f', arithmetic(draw), '1:'],
  (draw) => [`c.${draw.random.pick(['beqz', 'bnez'])} ${draw.rc()}, 1f`, arithmetic(draw), '1:'],
  (draw) => {
    const target = draw.target();
    return [`lla ${target}, 1f`, `${draw.random.pick(['c.jr', 'c.jalr'])} ${target}`, arithmetic(draw), '1:'];
  },
  () => ['c.ebreak', 'csrw mtval, x0'],
];

export const c: Stream = {
  name: 'c',
  length: 150,
  profile: () => ({ ...plainProfile, compressed: true }),
  group(draw) {
    const choice = draw.random.below(10);
    if (choice < 8) return draw.random.pick(rows)(draw);
    // Four-byte instructions between, so that some straddle the rig's fetch boundaries.
    return choice < 9 ? [arithmetic(draw)] : loadOrStore(draw);
  },
};
