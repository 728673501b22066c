import type { Draw } from '../draw';
import { plainProfile, type Group, type Stream } from '../program';

const registerOperations = [
  'add', 'sub', 'sll', 'slt', 'sltu', 'xor', 'srl', 'sra', 'or', 'and', 'addw', 'subw', 'sllw', 'srlw', 'sraw',
] as const; // prettier-ignore
const immediateOperations = ['addi', 'slti', 'sltiu', 'xori', 'ori', 'andi', 'addiw'] as const;
const shifts64 = ['slli', 'srli', 'srai'] as const;
const shifts32 = ['slliw', 'srliw', 'sraiw'] as const;
const branches = ['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu'] as const;

/** One integer instruction that can neither trap nor jump; other streams use it as filler. */
export function arithmetic(draw: Draw): string {
  const { random } = draw;
  switch (random.below(7)) {
    case 0:
      return `${random.pick(immediateOperations)} ${draw.rd()}, ${draw.rs()}, ${draw.immediate12()}`;
    case 1:
      return `${random.pick(shifts64)} ${draw.rd()}, ${draw.rs()}, ${draw.shift(64)}`;
    case 2:
      return `${random.pick(shifts32)} ${draw.rd()}, ${draw.rs()}, ${draw.shift(32)}`;
    case 3:
      return `${random.pick(['lui', 'auipc'])} ${draw.rd()}, ${draw.immediate20()}`;
    default:
      return `${random.pick(registerOperations)} ${draw.rd()}, ${draw.rs()}, ${draw.rs()}`;
  }
}

const few = (draw: Draw, most: number): string[] =>
  Array.from({ length: draw.random.below(most + 1) }, () => arithmetic(draw));

const branch = (draw: Draw): string => `${draw.random.pick(branches)} ${draw.rs()}, ${draw.rs()}`;

/** Forward branches, jumps over code, calls through registers with the lowest bit set, short counted loops. */
function controlFlow(draw: Draw): Group {
  const { random } = draw;
  const link = draw.rd();
  switch (random.below(5)) {
    case 0:
      return [`${branch(draw)}, 1f`, ...few(draw, 3), '1:'];
    case 1:
      return [`jal ${link}, 1f`, ...few(draw, 3), '1:'];
    case 2: {
      const target = draw.target();
      const offset = random.between(-2040, 2040);
      return [
        `lla ${target}, 1f - ${offset}`,
        `jalr ${link}, ${offset + random.below(2)}(${target})`,
        ...few(draw, 2),
        '1:',
      ];
    }
    case 3: {
      // Backward: jump over a block, which jumps back behind the first jump's target.
      return ['j 2f', '1:', ...few(draw, 3), 'j 3f', '2:', `${branch(draw)}, 1b`, 'j 1b', '3:'];
    }
    default:
      return [
        `li s9, ${random.between(1, 6)}`,
        '1:',
        ...few(draw, 3),
        `${branch(draw)}, 2f`,
        ...few(draw, 2),
        '2:',
        'addi s9, s9, -1',
        'bnez s9, 1b',
      ];
  }
}

const loads = [['lb', 1], ['lbu', 1], ['lh', 2], ['lhu', 2], ['lw', 4], ['lwu', 4], ['ld', 8]] as const; // prettier-ignore
const stores = [['sb', 1], ['sh', 2], ['sw', 4], ['sd', 8]] as const; // prettier-ignore

export function loadOrStore(draw: Draw, misaligned?: number): Group {
  const [mnemonic, size, register] = draw.random.chance(0.55)
    ? ([...draw.random.pick(loads), draw.rd()] as const)
    : ([...draw.random.pick(stores), draw.rs()] as const);
  const { setup, operand } = draw.memory(size, misaligned);
  return [...setup, `${mnemonic} ${register}, ${operand}`];
}

const fences = ['fence', 'fence rw, rw', 'fence r, w', 'fence.i', 'fence.tso', 'pause'] as const;

const plain = (name: string, group: (draw: Draw) => Group): Stream => ({
  name,
  length: 150,
  profile: () => plainProfile,
  group,
});

export const rv64i = plain('rv64i', (draw) =>
  draw.random.chance(0.03)
    ? [draw.random.pick(fences)]
    : draw.random.chance(0.15)
      ? [draw.load64(draw.target())]
      : [arithmetic(draw)],
);
export const controlFlowStream = plain('branches', controlFlow);
export const memory = plain('memory', (draw) =>
  draw.random.chance(0.3) ? [arithmetic(draw)] : loadOrStore(draw),
);

const multiply = ['mul', 'mulh', 'mulhsu', 'mulhu', 'div', 'divu', 'rem', 'remu', 'mulw', 'divw', 'divuw', 'remw', 'remuw'] as const; // prettier-ignore

export const m = plain('m', (draw) => {
  if (draw.random.chance(0.25)) return [draw.load64(draw.target())];
  return [`${draw.random.pick(multiply)} ${draw.rd()}, ${draw.rs()}, ${draw.rs()}`];
});
