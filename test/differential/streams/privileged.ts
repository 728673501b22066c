import type { Draw } from '../draw';
import { requests } from '../layout';
import { plainProfile, type Group, type Mode, type Profile, type Stream } from '../program';
import type { Random } from '../random';
import { integerValue } from '../values';
import { arithmetic, loadOrStore } from './integer';

const operations = ['csrrw', 'csrrs', 'csrrc'] as const;

/** CSRs that hold any value and steer nothing that the rig needs. */
const scratchRegisters = ['mscratch', 'mcause', 'mtval', 'sscratch', 'scause', 'stval'] as const;

/** Readable by their number in M-mode: their fields after reset and after the writes above. */
const readable = [
  'mstatus', 'sstatus', 'mie', 'sie', 'mideleg', 'medeleg', 'mtvec', 'stvec', 'mcounteren', 'scounteren', 'mscratch',
  'mepc', 'mcause', 'mtval', 'sscratch', 'sepc', 'scause', 'stval', 'satp', 'pmpcfg0', 'pmpaddr0', 'mhartid',
] as const; // prettier-ignore

/** Writable by some mode, read-only, or not there at all: whoever may not use them traps. */
const guarded = [
  ...scratchRegisters,
  'fcsr',
  'mvendorid',
  'mhartid',
  '0x7c0',
  '0x5c0',
  '0x8ff',
  '0xccc',
] as const;

function access(draw: Draw, csr: string): string {
  const { random } = draw;
  // Only CSRRW is sure to write: see `legal-differences.ts`.
  if (csr === 'mhartid' || csr === 'mvendorid')
    return `${random.pick(['csrrw', 'csrrs'])} ${draw.rd()}, ${csr}, x0`;
  const operation = random.pick(operations);
  return random.chance(0.7)
    ? `${operation} ${draw.rd()}, ${csr}, ${draw.rs()}`
    : `${operation}i ${draw.rd()}, ${csr}, ${random.below(32)}`;
}

/** mstatus fields one at a time; MPRV is left out because the next access would go elsewhere. */
const statusFields = {
  SIE: 1n << 1n, MIE: 1n << 3n, SPIE: 1n << 5n, MPIE: 1n << 7n, SPP: 1n << 8n, FS: 3n << 13n,
  XS: 3n << 15n, SUM: 1n << 18n, MXR: 1n << 19n, TVM: 1n << 20n, TW: 1n << 21n, TSR: 1n << 22n,
} as const; // prettier-ignore

function statusWrite(draw: Draw): Group {
  const { random } = draw;
  const operation = random.pick(['csrrs', 'csrrc']);
  // MPP stays one of the three modes, see `legal-differences.ts`.
  let bits = random.pick([0n, 0n, operation === 'csrrs' ? 0x800n : 0x1000n, 0x1800n]);
  for (const field of Object.values(statusFields))
    if (random.chance(0.3)) bits |= field & random.doubleWord();
  const register = draw.target();
  return [
    `li ${register}, ${bits}`,
    `${operation} ${draw.rd()}, ${random.pick(['mstatus', 'mstatus', 'sstatus'])}, ${register}`,
  ];
}

/**
 * WARL registers whose value the rig relies on: written, read, put back. The
 * masks leave out bits where QEMU's choice is its own, see `legal-differences.ts`.
 */
const borrowedMasks = {
  mtvec: ~0n, stvec: ~0n, mie: 0xaaan, mideleg: 0xaaan, satp: ~(0xffffn << 44n),
  pmpaddr3: (1n << 54n) - 1n, pmpaddr15: (1n << 54n) - 1n, mcounteren: 7n, scounteren: 7n, mepc: ~1n, sepc: ~1n, medeleg: 0xb3ffn,
} as const; // prettier-ignore

/** @param masks by register: what may be written to it */
export function borrowed(draw: Draw, masks: Readonly<Record<string, bigint>> = borrowedMasks): Group {
  const [csr, mask] = draw.random.pick(Object.entries(masks));
  const value = BigInt.asIntN(64, integerValue(draw.random) & mask);
  return [
    `csrr s9, ${csr}`,
    `li s11, ${value}`,
    `csrw ${csr}, s11`,
    `csrr ${draw.target()}, ${csr}`,
    `csrw ${csr}, s9`,
  ];
}

export const zicsr: Stream = {
  name: 'zicsr',
  length: 110,
  profile: () => plainProfile,
  group(draw) {
    const choice = draw.random.below(20);
    if (choice < 8) return [access(draw, draw.random.pick(scratchRegisters))];
    if (choice < 11) return [`csrr ${draw.rd()}, ${draw.random.pick(readable)}`];
    if (choice < 15) return statusWrite(draw);
    if (choice < 17) return borrowed(draw);
    if (choice < 18) {
      const csr = draw.random.pick(['0x7c0', '0x5c0', '0x8ff', '0xccc', 'mhartid']);
      return [draw.random.chance(0.2) ? `csrrw ${draw.rd()}, cycle, ${draw.rs()}` : access(draw, csr)];
    }
    return choice < 19 ? [draw.load64(draw.target())] : [arithmetic(draw)];
  },
};

/** Leaves M-mode for `mode`; harmless (skipped by the handler) where it is not allowed. */
export function descend(draw: Draw, mode: Mode): Group {
  const clear = draw.target();
  return [
    `li ${clear}, 0x1800`,
    `csrc mstatus, ${clear}`,
    ...(mode === 1 ? [`li ${clear}, 0x800`, `csrs mstatus, ${clear}`] : []),
    `lla ${clear}, 1f`,
    `csrw mepc, ${clear}`,
    'mret',
    '1:',
  ];
}

/** From S to U-mode by SRET. */
function supervisorReturn(draw: Draw): Group {
  const register = draw.target();
  return [
    `li ${register}, 0x100`,
    `${draw.random.pick(['csrc', 'csrc', 'csrs'])} sstatus, ${register}`,
    `lla ${register}, 1f`,
    `csrw sepc, ${register}`,
    'sret',
    '1:',
  ];
}

export const ascend: Group = [`li s8, ${requests.machine}`, 'ecall', 'li s8, 0'];

/** Software interrupts, taken at once where they are enabled; the handlers clear the enable. */
function softwareInterrupt(draw: Draw): Group {
  const which = draw.random.pick(['sip', 'mip']);
  const enable = draw.random.pick(['sie', 'mie']);
  return draw.random.pick<Group>([
    [`csrsi ${which}, 2`, `csrsi ${enable}, 2`, arithmetic(draw), `csrci ${which}, 2`, `csrci ${enable}, 2`],
    [`csrsi ${enable}, 2`, `csrsi ${which}, 2`, arithmetic(draw), `csrci ${which}, 2`, `csrci ${enable}, 2`],
    [`csrsi mstatus, ${draw.random.pick([2, 8, 10])}`, `csrsi mip, 2`, `csrsi mie, 2`, 'csrci mip, 2'],
  ]);
}

const environment = ['ecall', 'ebreak', 'mret', 'sret', 'sfence.vma', 'sfence.vma x5, x6', 'wfi'] as const;

function environmentCall(draw: Draw): Group {
  const line = draw.random.pick(environment);
  const register = draw.target();
  if (line === 'mret') return [`lla ${register}, 1f`, `csrw mepc, ${register}`, 'mret', '1:'];
  if (line === 'sret') return [`lla ${register}, 1f`, `csrw sepc, ${register}`, 'sret', '1:'];
  // A WFI with something pending and enabled locally goes on at once, whatever the mode's global enable says.
  if (line === 'wfi')
    return ['csrci mstatus, 10', 'csrsi mip, 2', 'csrsi mie, 2', 'wfi', 'csrci mip, 2', 'csrci mie, 2'];
  // The two sides may disagree on mtval after a breakpoint: overwritten before anything reads it.
  return line === 'ebreak' ? [line, 'ecall'] : [line];
}

function fetchFault(draw: Draw): Group {
  const target = draw.target();
  return [
    `lla s11, 1f`,
    `li ${target}, ${draw.nowhere()}`,
    `jalr ${draw.rd()}, ${draw.random.below(2)}(${target})`,
    '1:',
  ];
}

/** Exceptions that S-mode's handler can deal with; environment calls and breakpoints stay with M-mode. */
export const delegable = 0xb0f7n;

function privilegeProfile(random: Random): Profile {
  const delegates = random.chance(0.5);
  return {
    ...plainProfile,
    mode: random.pick<Mode>([3, 3, 1, 0]),
    // TW, so that no WFI outside M-mode waits for ever; no TSR where the S-mode handler must return.
    mstatus: 0x206000n | (random.doubleWord() & (delegates ? 0x1c0080n : 0x5c0080n)),
    compressed: !delegates && random.chance(0.5),
    medeleg: delegates ? random.doubleWord() & delegable : 0n,
    mideleg: delegates ? random.doubleWord() & 0x222n : 0n,
  };
}

export const privilege: Stream = {
  name: 'privilege',
  length: 90,
  profile: privilegeProfile,
  group(draw) {
    const choice = draw.random.below(20);
    if (choice < 3) return descend(draw, draw.random.pick<Mode>([0, 1, 1]));
    if (choice < 5) return ascend;
    if (choice < 6) return supervisorReturn(draw);
    if (choice < 9) return environmentCall(draw);
    if (choice < 11) return softwareInterrupt(draw);
    if (choice < 12) return fetchFault(draw);
    if (choice < 16)
      return draw.random.chance(0.5)
        ? [`csrr ${draw.rd()}, ${draw.random.pick(readable)}`]
        : [access(draw, draw.random.pick(guarded))];
    return choice < 18 ? loadOrStore(draw) : [arithmetic(draw)];
  },
};
