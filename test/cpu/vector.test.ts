/** What the lock-step streams cannot show of vectors: going on after a trap, and what the subsets leave out. */
import fc from 'fast-check';
import { Hart } from '../../engine/cpu/hart';
import * as at from '../../engine/cpu/layout';
import { assemble } from '../../engine/isa/assembler';
import { chooseExtensions } from '../../engine/isa/extensions';
import { pokeWords, underTest } from './engine-under-test';

const START = 0x8000_0000n;
const DEVICE = 0x1000_0000;
const VS_AND_FS = 0x6600n;

/** A device of bytes that refuses each access that `refusals` says, the first time it comes. */
class Device {
  readonly bytes = Uint8Array.from({ length: 0x10000 }, (_, i) => (i * 167 + (i >> 8)) & 0xff);
  private readonly view = new DataView(this.bytes.buffer);
  private readonly refused = new Set<number>();

  constructor(private readonly refusals: readonly number[]) {}

  private refuses(address: number): boolean {
    if (!this.refusals.includes((address >> 2) % 16) || this.refused.has(address)) return false;
    this.refused.add(address);
    return true;
  }
  read(address: number, size: 1 | 2 | 4): number | undefined {
    if (this.refuses(address)) return undefined;
    const offset = address - DEVICE;
    if (size === 4) return this.view.getUint32(offset, true);
    return size === 2 ? this.view.getUint16(offset, true) : this.view.getUint8(offset);
  }
  write(address: number, size: 1 | 2 | 4, value: number): boolean {
    if (this.refuses(address)) return false;
    const offset = address - DEVICE;
    if (size === 4) this.view.setUint32(offset, value, true);
    else if (size === 2) this.view.setUint16(offset, value, true);
    else this.view.setUint8(offset, value);
    return true;
  }
}

interface Access {
  readonly line: string;
  readonly sew: number;
  readonly lmul: number;
  readonly vl: number;
}

function start(extensions: readonly string[], device: Device, lines: readonly string[]): Hart {
  const hart = new Hart({
    ...underTest,
    ramSize: 1 << 20,
    bus: device,
    extensions: chooseExtensions(extensions),
  });
  const words = lines.map((line) => assemble(line).word);
  pokeWords(hart, 0, words);
  hart.pc = START;
  hart.setCell(at.MSTATUS, VS_AND_FS);
  for (let cell = 0; cell < 64; cell++)
    hart.setCell(at.V + 8 * cell, 0x0123456789abcdefn * BigInt(2 * cell + 1));
  hart.setX(10, BigInt(DEVICE + 0x8000));
  hart.setX(11, 24n);
  return hart;
}

/** Executes one instruction as often as it takes, as a handler would that repairs what was refused. */
function complete({ line, sew, lmul, vl }: Access, refusals: readonly number[]) {
  const device = new Device(refusals);
  const hart = start(['v'], device, [line]);
  hart.setCell(at.VTYPE, BigInt((sew << 3) | (lmul & 7)));
  hart.setCell(at.VL, BigInt(vl));
  // Small and aligned indices, in v16 and up.
  for (let cell = 32; cell < 64; cell++)
    hart.setCell(at.V + 8 * cell, BigInt((cell - 32) * 8) * (sew === 3 ? 1n : 0n));
  let traps = 0;
  hart.run(1);
  while (hart.pc !== START + 4n) {
    expect(hart.csr(0x342)).toBe(line.startsWith('vs') ? 7n : 5n);
    expect(hart.cell(at.VSTART)).toBeLessThan(BigInt(vl));
    hart.pc = START;
    hart.run(1);
    traps += 1;
  }
  expect(hart.cell(at.VSTART)).toBe(0n);
  const registers = Array.from({ length: 64 }, (_, cell) => hart.cell(at.V + 8 * cell));
  return { traps, result: { registers, bytes: Buffer.from(device.bytes).toString('base64') } };
}

const shapes = [
  (bits: number) => `vle${bits}.v v8, (a0)`,
  (bits: number) => `vse${bits}.v v8, (a0)`,
  (bits: number) => `vse${bits}.v v8, (a0), v0.t`,
  (bits: number) => `vlse${bits}.v v8, (a0), a1, v0.t`,
  (bits: number) => `vsse${bits}.v v8, (a0), a1`,
  (bits: number) => `vlseg2e${bits}.v v8, (a0)`,
  (bits: number) => `vssseg2e${bits}.v v8, (a0), a1, v0.t`,
  (bits: number) => `vloxei${bits}.v v8, (a0), v16`,
] as const;

const accesses = fc
  .record({
    shape: fc.constantFrom(...shapes),
    sew: fc.integer({ min: 0, max: 3 }),
    lmul: fc.integer({ min: 0, max: 2 }),
    part: fc.integer({ min: 1, max: 16 }),
  })
  .map(({ shape, sew, lmul, part }): Access => {
    const maximum = (16 >> sew) << lmul;
    return { line: shape(8 << sew), sew, lmul, vl: Math.max(1, Math.floor((maximum * part) / 16)) };
  });

test('a load or store that trapped goes on at its element, and comes to what it would have without the traps', () => {
  let trapped = 0;
  fc.assert(
    fc.property(accesses, fc.uniqueArray(fc.nat(15), { maxLength: 6 }), (access, refusals) => {
      const interrupted = complete(access, refusals);
      expect(interrupted.result).toEqual(complete(access, []).result);
      trapped += interrupted.traps;
    }),
    { numRuns: 100 },
  );
  expect(trapped).toBeGreaterThan(100);
});

test.each([
  // extensions, instruction under a vtype, whether it is legal
  ['v', 'vfadd.vv v1, v2, v3', 3, true],
  ['zve64f', 'vfadd.vv v1, v2, v3', 2, true],
  ['zve64f', 'vfadd.vv v1, v2, v3', 3, false],
  ['zve64x', 'vadd.vv v1, v2, v3', 3, true],
  ['zve64x', 'vfadd.vv v1, v2, v3', 2, false],
  ['zve32x', 'vadd.vv v1, v2, v3', 2, true],
  ['zve32x', 'vadd.vv v1, v2, v3', 3, false],
  ['zve32f', 'vle64.v v1, (a0)', 2, false],
  ['zve32f', 'vwadd.vv v2, v4, v5', 2, false],
  ['zvfhmin', 'vfwcvt.f.f.v v2, v4', 1, true],
  ['zvfhmin', 'vfadd.vv v1, v2, v3', 1, false],
  ['zvfh', 'vfadd.vv v1, v2, v3', 1, true],
] as const)('%s: %s with SEW of 8 << %i bits', (extension, line, sew, legal) => {
  const hart = start([extension], new Device([]), [`vsetivli zero, 1, ${sew << 3}`, line]);
  hart.run(2);
  expect(hart.pc === START + 8n).toBe(legal);
  if (!legal) expect(hart.csr(0x342)).toBe(2n);
});

test('no vector instruction and no vector register is there without the extension', () => {
  const hart = start([], new Device([]), ['vadd.vv v1, v2, v3']);
  hart.run(1);
  expect(hart.csr(0x342)).toBe(2n);
  expect(hart.csr(0xc22)).toBe(0n);
  expect(hart.csr(0x300) & 0x600n).toBe(0n);
});
