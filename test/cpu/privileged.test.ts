/**
 * The privileged architecture where QEMU is no judge: what it leaves out, counts by host time, or keeps until a reset.
 * Expectations are the manuals' own tables.
 */
import { Hart } from '../../engine/cpu/hart';
import * as at from '../../engine/cpu/layout';
import { csrRows } from '../../engine/cpu/csr';
import { selectable } from '../../engine/isa/extensions';
import { assemble } from '../../engine/isa/assembler';
import { poke, pokeWords, underTest } from './engine-under-test';

const BASE = 0x80000000n;
const DATA = BASE + 0x4000n;
const TABLE = BASE + 0x10000n;
const HANDLER = BASE + 0x8000n;
const U = 0;
const S = 1;
const M = 3;
type Mode = 0 | 1 | 3;
const ALL = (1n << 64n) - 1n;
const MIE = 1n << 3n;

const numbers = new Map(csrRows(selectable).map(({ name, number }) => [name, number]));
/** As an operand. */
const csrOf = (name: string): string => `0x${numbers.get(name)?.toString(16)}`;

/** A hart that executes single instructions, each from the same place. */
class Bench {
  readonly hart: Hart;
  private readonly memory: DataView;

  constructor(extensions: readonly string[] = selectable) {
    this.hart = new Hart({
      ...underTest,
      ramSize: 2 ** 20,
      extensions,
      bus: { read: () => undefined, write: () => false },
    });
    this.memory = new DataView(this.hart.ram.buffer, this.hart.ram.byteOffset, this.hart.ram.length);
    this.poke(HANDLER, 0x6fn); // j .
    this.write('mtvec', HANDLER);
    this.write('pmpaddr15', ALL >> 10n);
    this.write('pmpcfg2', 0x1fn << 56n);
  }

  poke(address: bigint, value: bigint): void {
    poke(this.hart, Number(address - BASE), new Uint8Array(BigUint64Array.of(value).buffer));
  }
  peek(address: bigint): bigint {
    return this.memory.getBigUint64(Number(address - BASE), true);
  }

  /** Executes one instruction in a mode; the cause when it traps. x5 and x6 are its operands. */
  execute(line: string, mode: Mode = M, place = BASE): bigint | undefined {
    const { hart } = this;
    pokeWords(hart, Number(place - BASE), [assemble(line).word]);
    hart.privilege = mode;
    hart.pc = place;
    const trapped = hart.cell(at.TRAPPED_STEPS);
    hart.run(1);
    return hart.cell(at.TRAPPED_STEPS) === trapped
      ? undefined
      : this.csr(hart.privilege === M ? 'mcause' : 'scause');
  }

  csr(name: string): bigint {
    return this.hart.csr(numbers.get(name) ?? 0);
  }
  /** Through CSRRW: the value read, or the cause of the trap as an error. */
  write(name: string, value: bigint, mode: Mode = M): bigint | undefined {
    this.hart.setX(5, value);
    return this.execute(`csrrw t1, ${csrOf(name)}, t0`, mode);
  }
  read(name: string, mode: Mode = M): bigint | undefined {
    const cause = this.execute(`csrrs t1, ${csrOf(name)}, zero`, mode);
    return cause === undefined ? this.hart.x(6) : undefined;
  }
  access(kind: 'ld' | 'sd' | 'jalr', address: bigint, mode: Mode): bigint | undefined {
    this.hart.setX(5, address);
    if (kind !== 'jalr') return this.execute(`${kind} t1, 0(t0)`, mode);
    const cause = this.execute('jalr zero, 0(t0)', mode);
    if (cause !== undefined) return cause;
    const trapped = this.hart.cell(at.TRAPPED_STEPS);
    this.hart.run(1);
    return this.hart.cell(at.TRAPPED_STEPS) === trapped ? undefined : this.csr('mcause');
  }
}

test('every CSR with a cell has one of its own, inside the saved state', () => {
  const cells = csrRows(selectable).filter(({ cell }) => cell !== 0);
  const shared = new Set(['sstatus']);
  const places = cells.filter(({ name }) => !shared.has(name)).map(({ cell }) => cell);
  expect(new Set(places).size).toBe(places.length);
  const named = new Set<number>(Object.values(at));
  for (const { cell } of cells) {
    expect(cell).toBeGreaterThanOrEqual(at.X);
    expect(cell).toBeLessThan(at.HART_STATE_END);
    // What csr.ts hands out lies before the counters.
    if (!named.has(cell) && cell >= at.CSRS_FREE)
      expect(cell < at.MHPMCOUNTER || cell < at.COUNTERS).toBe(true);
  }
  expect(Math.max(...cells.map(({ cell }) => cell).filter((cell) => cell < at.MHPMCOUNTER))).toBeLessThan(
    at.MHPMCOUNTER,
  );
});

describe('counters', () => {
  test('stand still while they are inhibited, and go on from there', () => {
    const bench = new Bench();
    bench.write('mcycle', 1000n);
    expect(bench.read('mcycle')).toBe(1000n);
    expect(bench.read('mcycle')).toBe(1001n);
    bench.write('mcountinhibit', ALL);
    expect(bench.csr('mcountinhibit')).toBe(0xfffffffdn); // time cannot be stopped
    const stopped = bench.read('mcycle');
    bench.execute('addi t1, t1, 1');
    expect(bench.read('mcycle')).toBe(stopped);
    bench.write('mcycle', 7n);
    expect(bench.read('mcycle')).toBe(7n);
    bench.write('mcountinhibit', 0n);
    expect(bench.read('mcycle')).toBe(7n);
    expect(bench.read('mcycle')).toBe(8n);
  });

  test('count cycles or instructions, by event, in the modes that are not filtered out', () => {
    const bench = new Bench();
    bench.write('mhpmevent3', 1n);
    bench.write('mhpmevent4', 2n | (1n << 62n)); // instructions, not M-mode's
    bench.write('mhpmevent5', 2n | (1n << 60n)); // not U-mode's
    bench.write('mhpmevent6', 3n);
    expect(bench.csr('mhpmevent6')).toBe(0n); // there is no such event
    for (const counter of [3, 4, 5, 6]) bench.write(`mhpmcounter${counter}`, 0n);
    const before = [3, 4, 5, 6].map((counter) => bench.read(`mhpmcounter${counter}`) ?? 0n);
    // Into U-mode: mret counts in M-mode, three additions in U-mode, the ecall retires nowhere.
    bench.write('mepc', BASE + 0x100n);
    bench.write('mstatus', 0n);
    [0x100n, 0x104n, 0x108n].forEach((offset) => bench.poke(BASE + offset, 0x0000007300130313n));
    bench.hart.pc = BASE;
    bench.execute('mret');
    expect(bench.hart.privilege).toBe(U);
    bench.hart.run(4);
    expect(bench.hart.privilege).toBe(M);
    const after = [3, 4, 5, 6].map((counter) => bench.read(`mhpmcounter${counter}`) ?? 0n);
    const grown = after.map((value, index) => value - before[index]!);
    // Reads and writes of CSRs on the way: all but what was in U-mode is in M-mode.
    expect(grown[1]).toBe(3n);
    expect(grown[0]! - grown[2]!).toBe(4n); // three and the ecall
    expect(grown[3]).toBe(0n);
  });

  test('cycle and instret can be filtered by mode too, each by a register of its own', () => {
    const bench = new Bench();
    const MINH = 1n << 62n;
    bench.write('mcyclecfg', ALL);
    expect([bench.csr('mcyclecfg'), bench.csr('minstretcfg')]).toEqual([7n << 60n, 0n]);
    bench.write('mcyclecfg', 0n);
    bench.write('minstretcfg', MINH);
    const [cycles, instructions] = [bench.read('mcycle')!, bench.read('minstret')!];
    for (let i = 0; i < 5; i++) bench.execute('addi t1, t1, 1');
    expect(bench.read('minstret')).toBe(instructions);
    expect(bench.read('mcycle')).toBe(cycles + 8n); // and three reads
  });

  test('interrupt when they overflow, once, wherever the run is cut', () => {
    const trace = (cuts: readonly number[]): readonly bigint[] => {
      const bench = new Bench();
      bench.write('mhpmevent3', 1n);
      bench.write('mie', 1n << 13n);
      bench.write('mhpmcounter3', -20n & ALL);
      bench.write('mstatus', MIE);
      for (let i = 0; i < 64; i++) bench.poke(BASE + 0x100n + BigInt(8 * i), 0x0013031300130313n);
      bench.hart.pc = BASE + 0x100n;
      for (const cut of cuts) bench.hart.run(cut);
      return [
        bench.csr('mcause'),
        bench.csr('mepc'),
        bench.csr('scountovf'),
        bench.csr('mhpmevent3') >> 63n,
        bench.csr('mip'),
      ];
    };
    const whole = trace([60]);
    expect(whole).toEqual([(1n << 63n) | 13n, BASE + 0x100n + 4n * 19n, 8n, 1n, 1n << 13n]);
    expect(trace([1, 17, 1, 1, 40])).toEqual(whole);
    expect(trace(Array<number>(60).fill(1))).toEqual(whole);
  });

  test('a counter that was written small has not overflowed, nor does one whose OF is set', () => {
    const bench = new Bench();
    bench.write('mhpmevent3', 1n);
    bench.write('mhpmcounter3', 0n);
    bench.write('mhpmevent4', 1n | (1n << 63n));
    bench.write('mhpmcounter4', ALL - 1n);
    for (let i = 0; i < 8; i++) bench.execute('addi t1, t1, 1');
    expect(bench.csr('mip') >> 13n).toBe(0n);
    expect(bench.read('mhpmcounter4')).toBeLessThan(100n);
    expect(bench.read('scountovf')).toBe(1n << 4n);
    bench.write('mcounteren', 0n);
    expect(bench.read('scountovf', S)).toBe(0n);
    bench.write('mcounteren', ALL);
    expect(bench.read('scountovf', S)).toBe(1n << 4n);
    expect(bench.read('hpmcounter4', U)).toBeUndefined();
  });
});

/** Privileged ISA manual, "Smepmp", the truth table for mseccfg.MML: LRWX, then the rights of M-mode and of the others. */
const machineModeLockdown = `
  0000 ---  ---
  0001 ---  --x
  0010 rw-  r--
  0011 rw-  rw-
  0100 ---  r--
  0101 ---  r-x
  0110 ---  rw-
  0111 ---  rwx
  1000 ---  ---
  1001 --x  ---
  1010 --x  --x
  1011 r-x  --x
  1100 r--  ---
  1101 r-x  ---
  1110 rw-  ---
  1111 r--  r--`
  .trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/) as [string, string, string]);

describe('Smepmp', () => {
  const rules = (lrwx: string): bigint => {
    const [l, r, w, x] = [...lrwx].map(BigInt) as [bigint, bigint, bigint, bigint];
    return (l << 7n) | (x << 2n) | (w << 1n) | r;
  };
  const MML = 1n;
  const MMWP = 2n;
  const RLB = 4n;

  /** Locked-down: the code is shared (LRWX = 1011: M-mode may read and execute, the others execute), DATA is what is tried. */
  function lockedDown(lrwx: string, security = MML | RLB): Bench {
    const bench = new Bench();
    bench.poke(DATA, 0x0000001300000013n);
    bench.write('mseccfg', RLB);
    bench.write('pmpaddr0', (DATA >> 2n) | 0x1ffn); // 4 KiB
    bench.write('pmpaddr1', BASE >> 2n);
    bench.write('pmpaddr2', (BASE + 0x1000n) >> 2n); // the bench's own instructions
    bench.write('pmpaddr3', (HANDLER >> 2n) | 0x1ffn);
    bench.write('pmpcfg2', 0n);
    // W without R means something only once MML is set: until then M-mode executes by its own rules.
    const code = (lrwxOfCode: string): bigint =>
      ((rules(lrwxOfCode) | 8n) << 16n) | ((rules(lrwxOfCode) | 0x18n) << 24n);
    bench.write('pmpcfg0', code('1001'));
    bench.write('mseccfg', MML | RLB);
    bench.write('pmpcfg0', rules(lrwx) | 0x18n | code('1011'));
    bench.write('mseccfg', security);
    return bench;
  }

  test.each(machineModeLockdown)(
    'a rule LRWX = %s gives M-mode %s and the others %s',
    (lrwx, machine, others) => {
      for (const [mode, rights] of [
        [M, machine],
        [S, others],
        [U, others],
      ] as const) {
        const bench = lockedDown(lrwx);
        const found = (['ld', 'sd', 'jalr'] as const)
          .map((kind, index) => (bench.access(kind, DATA, mode) === undefined ? 'rwx'[index] : '-'))
          .join('');
        expect([mode, found]).toEqual([mode, rights]);
      }
    },
  );

  test('what no rule covers M-mode may not execute under MML, nor touch under MMWP', () => {
    const uncovered = BASE + 0x20000n;
    const open = lockedDown('0000');
    expect(open.access('ld', uncovered, M)).toBeUndefined();
    expect(open.access('jalr', uncovered, M)).toBe(1n);
    const closed = lockedDown('0000', MML | MMWP | RLB);
    expect(closed.access('ld', uncovered, M)).toBe(5n);
    expect(closed.access('sd', uncovered, M)).toBe(7n);
  });

  test('MML and MMWP stay; RLB does not come back once a rule is locked', () => {
    const bench = lockedDown('0000', MML | MMWP | RLB);
    bench.write('mseccfg', 0n);
    expect(bench.csr('mseccfg')).toBe(MML | MMWP);
    bench.write('mseccfg', RLB);
    expect(bench.csr('mseccfg')).toBe(MML | MMWP);
  });

  test('without RLB no rule may be added that lets M-mode execute, and locked ones stay', () => {
    const bench = lockedDown('0000', MML);
    const tried = machineModeLockdown.map(([lrwx]) => {
      const before = bench.csr('pmpcfg2');
      bench.write('pmpcfg2', (rules(lrwx) | 0x18n) << 8n);
      const changed = bench.csr('pmpcfg2') !== before;
      return changed ? lrwx : undefined;
    });
    // From the first locked rule on, entry 9 does not change any more: that is 1000.
    expect(tried.filter(Boolean)).toEqual(machineModeLockdown.map(([lrwx]) => lrwx).slice(0, 9));
    for (const lrwx of ['1001', '1010', '1011', '1101']) {
      bench.write('pmpcfg2', (rules(lrwx) | 0x18n) << 16n);
      expect((bench.csr('pmpcfg2') >> 16n) & 0xffn).toBe(0n);
    }
    const locked = bench.csr('pmpcfg0');
    bench.write('pmpcfg0', 0n);
    expect(bench.csr('pmpcfg0')).toBe(locked & ~0xffn);
  });
});

describe('address translation', () => {
  const R = 2n;
  const W = 4n;
  const AD = 0xc0n;
  const N = 1n << 63n;
  const VIRTUAL = 0x40000000n;
  /** Sv39: VIRTUAL's page 0 is `entry`; the first gigabyte of RAM is where it is. */
  function mapped(entry: bigint, extensions?: readonly string[]): Bench {
    const bench = new Bench(extensions);
    const pointer = (address: bigint): bigint => ((address >> 12n) << 10n) | 1n;
    bench.poke(TABLE + 8n, pointer(TABLE + 0x1000n));
    bench.poke(TABLE + 16n, ((BASE >> 12n) << 10n) | 0xcfn);
    bench.poke(TABLE + 0x1000n, pointer(TABLE + 0x2000n));
    for (let page = 0n; page < 16n; page++) bench.poke(TABLE + 0x2000n + 8n * page, entry);
    bench.write('satp', (8n << 60n) | (TABLE >> 12n));
    return bench;
  }
  const frame = (address: bigint): bigint => (address >> 12n) << 10n;

  test('Svnapot: sixteen pages share an entry; other sizes are page faults and change nothing', () => {
    const bench = mapped(N | frame(BASE + 0x8000n) | AD | R | 1n);
    for (const page of [0n, 4n, 15n]) {
      bench.poke(BASE + page * 0x1000n + 0x800n, 0x1234n + page);
      expect(bench.access('ld', VIRTUAL + page * 0x1000n + 0x800n, S)).toBeUndefined();
      expect(bench.hart.x(6)).toBe(0x1234n + page);
    }
    for (const address of [0x4000n, 0x9000n, 0xa000n, 0xc000n, 0n]) {
      const entry = N | frame(BASE + address) | R | 1n;
      const reserved = mapped(entry);
      expect(reserved.access('ld', VIRTUAL, S)).toBe(13n);
      expect(reserved.peek(TABLE + 0x2000n)).toBe(entry);
    }
    expect(mapped(N | frame(BASE + 0x8000n) | AD | R | 1n, ['svpbmt']).access('ld', VIRTUAL, S)).toBe(13n);
  });

  test('Svpbmt: memory types need menvcfg.PBMTE, and 3 is reserved', () => {
    for (const type of [0n, 1n, 2n, 3n]) {
      const bench = mapped((type << 61n) | frame(DATA) | AD | R | 1n);
      expect(bench.access('ld', VIRTUAL, S)).toBe(type === 0n ? undefined : 13n);
      bench.write('menvcfg', 1n << 62n);
      expect(bench.access('ld', VIRTUAL, S)).toBe(type === 3n ? 13n : undefined);
    }
  });

  test.each([
    [[], true], // neither is named: as ever
    [['svade'], false],
    [['svadu'], true], // and menvcfg.ADUE is set from the start
    [['svade', 'svadu'], false],
  ] as const)('A and D with %j: set by the hart is %s', (extensions, byHart) => {
    const bench = mapped(frame(DATA) | R | W | 1n, extensions);
    const entry = TABLE + 0x2000n;
    expect(bench.access('ld', VIRTUAL, S)).toBe(byHart ? undefined : 13n);
    expect(bench.peek(entry) & AD).toBe(byHart ? 0x40n : 0n);
    expect(bench.access('sd', VIRTUAL, S)).toBe(byHart ? undefined : 15n);
    expect(bench.peek(entry) & AD).toBe(byHart ? AD : 0n);
    if (!(extensions as readonly string[]).includes('svadu')) return;
    bench.write('menvcfg', byHart ? 0n : 1n << 61n);
    bench.poke(entry, frame(DATA) | R | W | 1n);
    expect(bench.access('sd', VIRTUAL, S)).toBe(byHart ? 15n : undefined);
  });

  test('satp takes the schemes that the hart has, with 16 bits of ASID', () => {
    const [sv39, sv48, sv57] = [8n, 9n, 10n].map((mode) => (mode << 60n) | (0xffffn << 44n) | 5n) as [
      bigint,
      bigint,
      bigint,
    ];
    for (const [extensions, accepted] of [
      [[], [sv39]],
      [['sv48'], [sv39, sv48]],
      [
        ['sv48', 'sv57'],
        [sv39, sv48, sv57],
      ],
    ] as const) {
      const bench = new Bench(extensions);
      const taken = [sv39, sv48, sv57].filter((value) => {
        bench.write('satp', 0n);
        bench.write('satp', value);
        return bench.csr('satp') === value;
      });
      expect(taken).toEqual(accepted);
    }
  });

  test('the last address there is faults as an access, not as a page', () => {
    for (const address of [ALL, ALL - 1n, ALL - 7n, 1n << 56n]) {
      const bench = new Bench();
      expect(bench.access('ld', address & ~7n, M)).toBe(5n);
      bench.hart.setX(5, address);
      expect(bench.execute('lb t1, 0(t0)')).toBe(5n);
      expect(bench.csr('mtval')).toBe(address);
    }
  });
});

describe('state that M-mode grants', () => {
  test('senvcfg and sstateen are out of reach until mstateen lets them in', () => {
    const bench = new Bench();
    expect(bench.read('senvcfg', S)).toBeUndefined();
    expect(bench.read('sstateen0', S)).toBeUndefined();
    bench.write('mstateen0', ALL);
    expect(bench.csr('mstateen0')).toBe(3n << 62n);
    expect(bench.read('senvcfg', S)).toBe(0n);
    expect(bench.read('sstateen0', S)).toBe(0n);
    expect(bench.read('sstateen3', S)).toBeUndefined();
    expect(bench.read('senvcfg', U)).toBeUndefined();
  });

  test('a hart without the extensions has none of their registers, and reaches senvcfg', () => {
    const bench = new Bench([]);
    for (const name of [
      'mstateen0',
      'sstateen0',
      'mseccfg',
      'scountovf',
      'stimecmp',
      'tselect',
      'mcyclecfg',
    ]) {
      expect(bench.read(name)).toBeUndefined();
      expect(bench.csr('mcause')).toBe(2n);
    }
    expect(bench.read('senvcfg', S)).toBe(0n);
    bench.write('menvcfg', ALL);
    expect(bench.csr('menvcfg')).toBe(1n);
  });
});

describe('reservations', () => {
  const reserve = (bench: Bench): void => {
    bench.hart.setX(5, DATA);
    expect(bench.execute('lr.d t1, (t0)')).toBeUndefined();
  };
  const conditional = (bench: Bench): bigint => {
    bench.execute('sc.d t2, t1, (t0)');
    return bench.hart.x(7);
  };

  test('last until the sc, and no longer', () => {
    const bench = new Bench();
    reserve(bench);
    expect(conditional(bench)).toBe(0n);
    expect(conditional(bench)).toBe(1n);
  });

  test('are broken by a trap, and by a return from one', () => {
    const bench = new Bench();
    reserve(bench);
    bench.execute('ecall');
    expect(conditional(bench)).toBe(1n);
    reserve(bench);
    bench.write('mepc', BASE);
    bench.write('mstatus', 3n << 11n);
    reserve(bench);
    bench.execute('mret');
    expect(conditional(bench)).toBe(1n);
  });
});

describe('triggers', () => {
  const MCONTROL6 = 6n << 60n;
  const [LOAD, STORE, EXECUTE, INU, INM] = [1n, 2n, 4n, 8n, 0x40n];
  const set = (bench: Bench, control: bigint, address: bigint, trigger = 0n): void => {
    bench.write('tselect', trigger);
    bench.write('tdata2', address);
    bench.write('tdata1', control);
  };

  test('there are two, off until they are set, of type mcontrol6', () => {
    const bench = new Bench();
    bench.write('tselect', 2n);
    expect(bench.csr('tselect')).toBe(0n);
    expect(bench.csr('tdata1')).toBe(15n << 60n);
    bench.write('tdata1', (2n << 60n) | 7n); // the older mcontrol
    expect(bench.csr('tdata1')).toBe(15n << 60n);
    bench.write('tdata1', MCONTROL6 | (ALL >> 5n));
    expect(bench.csr('tdata1')).toBe(MCONTROL6 | 0x5fn); // no match of another kind
    expect(bench.csr('tinfo') & 0xffffn).toBe((1n << 15n) | (1n << 6n));
  });

  test.each([
    ['equal', 0n, DATA + 8n, [8n]],
    ['a power of two', 1n, DATA + 8n + 3n, [8n]],
    ['at least', 2n, DATA + 16n, [16n, 24n]],
    ['below', 3n, DATA + 16n, [0n, 8n]],
  ])('match addresses: %s', (_, match, address, caught) => {
    for (const [kind, bit] of [
      ['ld', LOAD],
      ['sd', STORE],
    ] as const) {
      const bench = new Bench();
      bench.access(kind, DATA, U); // the page is in the TLB
      set(bench, MCONTROL6 | (match << 7n) | INU | bit, address, 1n);
      for (const offset of [0n, 8n, 16n, 24n]) {
        const cause = bench.access(kind, DATA + offset, U);
        expect([offset, cause]).toEqual([offset, caught.includes(offset) ? 3n : undefined]);
        if (cause !== undefined) expect(bench.csr('mtval')).toBe(DATA + offset);
        expect(bench.access(kind === 'ld' ? 'sd' : 'ld', DATA + offset, U)).toBeUndefined();
      }
      bench.write('tdata1', 0n);
      expect(bench.access(kind, DATA + 8n, U)).toBeUndefined();
    }
  });

  test('stop before the instruction at an address, in the modes that are named', () => {
    const bench = new Bench();
    const place = BASE + 0x200n;
    set(bench, MCONTROL6 | INU | EXECUTE, place);
    bench.hart.setX(6, 0n);
    expect(bench.execute('addi t1, t1, 1', U, place)).toBe(3n);
    expect([bench.csr('mepc'), bench.csr('mtval'), bench.hart.x(6)]).toEqual([place, place, 0n]);
    expect(bench.execute('addi t1, t1, 1', S, place)).toBeUndefined();
    expect(bench.execute('addi t1, t1, 1', U, place + 4n)).toBeUndefined();
  });

  test('do not fire in M-mode while its interrupts are off', () => {
    const bench = new Bench();
    set(bench, MCONTROL6 | INM | LOAD, DATA);
    expect(bench.access('ld', DATA, M)).toBeUndefined();
    bench.write('mstatus', MIE);
    expect(bench.access('ld', DATA, M)).toBe(3n);
  });

  test('see the load of a read-modify-write', () => {
    const bench = new Bench();
    bench.access('sd', DATA, U);
    set(bench, MCONTROL6 | INU | LOAD, DATA);
    bench.access('sd', DATA, U);
    bench.hart.setX(5, DATA);
    expect(bench.execute('amoadd.d t1, t1, (t0)', U)).toBe(3n);
  });
});

test('delegated overflow interrupts are S-mode business: sie, sip and priority below the timer', () => {
  const bench = new Bench();
  const LCOFI = 1n << 13n;
  bench.write('mideleg', ALL);
  expect(bench.csr('mideleg')).toBe(0x2222n);
  bench.write('stvec', HANDLER);
  bench.write('sie', LCOFI | 2n, S);
  expect(bench.csr('mie')).toBe(LCOFI | 2n);
  bench.write('sip', ALL, S);
  expect(bench.csr('sip')).toBe(LCOFI | 2n);
  bench.write('sstatus', 2n, S);
  bench.hart.privilege = S;
  bench.hart.run(1);
  expect(bench.csr('scause')).toBe((1n << 63n) | 1n);
  bench.write('sip', LCOFI, S);
  bench.write('sstatus', 2n, S);
  bench.hart.privilege = S;
  bench.hart.run(1);
  expect(bench.csr('scause')).toBe((1n << 63n) | 13n);
});
