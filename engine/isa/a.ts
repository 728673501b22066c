// Atomic memory operations. Unprivileged ISA manual, "A".
// aq and rl order nothing here: harts run one at a time, each in program order.
import type { AtomicKind, Emitter, I32, I64 } from './emitter';
import { type Instruction, type Semantics, extension, instruction } from './instruction';

type Update = (x: Emitter, old: I64, operand: I64) => I64;

const loadReserved =
  (helper: string): Semantics =>
  (x) =>
    x.rd(x.call(helper, [x.rs1]) as I64);

const storeConditional =
  (helper: string): Semantics =>
  (x) =>
    x.rd(x.call(helper, [x.rs1, x.rs2]) as I64);

/** Chooses by comparison; `old` comes sign-extended, so words compare right once the operand is too. */
const choose =
  (keepOld: (x: Emitter, old: I64, operand: I64) => I32): Update =>
  (x, old, operand) =>
    x.select(keepOld(x, old, operand), old, operand);

/** Sign-extended words keep their unsigned order as well. */
const operations: readonly (readonly [name: string, funct5: string, update: Update])[] = [
  ['amoswap', '00001', (_x, _old, operand) => operand],
  ['amoadd', '00000', (x, old, operand) => x.add(old, operand)],
  ['amoxor', '00100', (x, old, operand) => x.xor(old, operand)],
  ['amoand', '01100', (x, old, operand) => x.and(old, operand)],
  ['amoor', '01000', (x, old, operand) => x.or(old, operand)],
  ['amomin', '10000', choose((x, old, operand) => x.ltS(old, operand))],
  ['amomax', '10100', choose((x, old, operand) => x.geS(old, operand))],
  ['amominu', '11000', choose((x, old, operand) => x.ltU(old, operand))],
  ['amomaxu', '11100', choose((x, old, operand) => x.geU(old, operand))],
];

const width: Readonly<Record<AtomicKind, string>> = { w: '010', d: '011' };

const operation = (kind: AtomicKind, [name, funct5, update]: (typeof operations)[number]): Instruction =>
  instruction(
    `${name}.${kind}`,
    `${funct5} aq rl rs2 rs1 ${width[kind]} rd 0101111`,
    'rd, rs2, (rs1)',
    (x) => {
      const operand = x.let(kind === 'w' ? x.sext32(x.rs2) : x.rs2);
      x.rd(x.atomic(kind, x.rs1, (old) => update(x, old, operand)));
    },
  );

const ofKind = (kind: AtomicKind): Instruction[] => [
  instruction(
    `lr.${kind}`,
    `00010 aq rl 00000 rs1 ${width[kind]} rd 0101111`,
    'rd, (rs1)',
    loadReserved(`load_reserved_${kind}`),
  ),
  instruction(
    `sc.${kind}`,
    `00011 aq rl rs2 rs1 ${width[kind]} rd 0101111`,
    'rd, rs2, (rs1)',
    storeConditional(`store_conditional_${kind}`),
  ),
  ...operations.map((row) => operation(kind, row)),
];

export const a = extension('a', [...ofKind('w'), ...ofKind('d')]);
