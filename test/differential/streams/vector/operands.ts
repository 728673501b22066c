import type { Instruction } from '../../../../engine/isa/instruction';
import type { Draw } from '../../draw';
import { typeOf } from './configuration';

/** Group sizes of the register operands, as logarithms; `undefined` is a single register. */
interface Groups {
  readonly vd: number | undefined;
  readonly vs1: number | undefined;
  readonly vs2: number | undefined;
}

/** How large the groups are that an instruction names, so that most of those drawn are legal. By its mnemonic. */
function groupsOf(mnemonic: string, sew: number, lmul: number): Groups {
  const all = { vd: lmul, vs1: lmul, vs2: lmul };
  const fraction = /^v[sz]ext\.vf(\d)/.exec(mnemonic);
  if (fraction) return { ...all, vs2: lmul - Math.log2(Number(fraction[1])) };
  const whole = /^vmv(\d)r/.exec(mnemonic);
  if (whole) return { vd: Math.log2(Number(whole[1])), vs1: undefined, vs2: Math.log2(Number(whole[1])) };
  if (/^v(f?w?red|compress)/.test(mnemonic)) {
    return mnemonic.startsWith('vcompress')
      ? { ...all, vs1: undefined }
      : { vd: undefined, vs1: undefined, vs2: lmul };
  }
  if (mnemonic === 'vrgatherei16.vv') return { ...all, vs1: lmul + 1 - sew };
  if (/^viota/.test(mnemonic)) return { ...all, vs2: undefined };
  if (/\.mm?$|\.s$|^vmv\.s|^vfmv\.s/.test(mnemonic)) return { vd: undefined, vs1: undefined, vs2: undefined };
  if (/^vm(s|f|adc|sbc)/.test(mnemonic)) return { ...all, vd: undefined };
  if (/^v(f?n)/.test(mnemonic) && /\.w/.test(mnemonic)) return { ...all, vs2: lmul + 1 };
  if (/^v(f?w)/.test(mnemonic)) {
    return { vd: lmul + 1, vs1: lmul, vs2: /\.w[vxf]$/.test(mnemonic) ? lmul + 1 : lmul };
  }
  return all;
}

/** A register that begins a group of this size; now and then any. Never v0 where it is in the way, mostly. */
export function register(draw: Draw, group: number | undefined, avoidMask: boolean): string {
  const { random } = draw;
  const size = group === undefined || group <= 0 || random.chance(0.02) ? 1 : Math.min(8, 2 ** group);
  const first = avoidMask && random.chance(0.97) ? 1 : 0;
  return `v${size * random.between(first, 32 / size - 1)}`;
}

const registers = (operands: string): number[] =>
  (operands.match(/v\d+/g) ?? []).map((name) => Number(name.slice(1)));

/** To read one register with two widths is reserved, but QEMU compresses by a mask among the elements, and compares or adds v0 under v0. */
function toleratedByQemu(mnemonic: string, operands: string, lmul: number): boolean {
  if (mnemonic === 'vcompress.vm') {
    const [, vs2 = 0, mask = 0] = registers(operands);
    return mask >= vs2 && mask < vs2 + 2 ** Math.max(0, lmul);
  }
  const ofV0 = /, v0(\.t)?$/;
  if (!/^vm(s(eq|ne|lt|le|gt)|f)|\.v[vxi]m$/.test(mnemonic) || !ofV0.test(operands)) return false;
  return registers(operands.replace(ofV0, '')).slice(1).includes(0);
}

/** An instruction of the table with operands drawn at random, as assembly. */
export function instance(draw: Draw, { mnemonic, syntax, encoding }: Instruction): string {
  const { random } = draw;
  const { sew, lmul } = typeOf(draw);
  const groups = groupsOf(mnemonic, sew, lmul);
  const masked = (/vm$/.test(syntax) && random.chance(0.4)) || / v0$/.test(syntax);
  const immediate = (): number =>
    encoding.operands.get('imm')?.signed ? random.between(-16, 15) : random.below(32);
  const names: Readonly<Record<string, () => string>> = {
    vd: () => register(draw, groups.vd, masked && groups.vd !== undefined),
    vs1: () => register(draw, groups.vs1, masked && groups.vs1 !== undefined),
    vs2: () => register(draw, groups.vs2, masked && groups.vs2 !== undefined),
    rd: () => draw.rd(),
    rs1: () => draw.rs(),
    frd: () => draw.fr(),
    frs1: () => draw.fr(),
    imm: () => String(immediate()),
    v0: () => 'v0',
    vm: () => (masked ? 'v0.t' : ''),
  };
  const draws = (): string => syntax.replace(/[a-z0-9]+/g, (name) => names[name]?.() ?? name);
  let operands = draws();
  while (toleratedByQemu(mnemonic, operands, lmul)) operands = draws();
  return `${mnemonic} ${operands.replace(/, $/, '')}`;
}
