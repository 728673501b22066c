import type { Image } from './image';

/** Every instruction of RV64GC, Zicsr, Zifencei, Zba, Zbb and Zbs, and the privileged ones, under objdump's names. */
export const instructionNames: readonly string[] = `
lui auipc jal jalr beq bne blt bge bltu bgeu lb lh lw lbu lhu lwu ld sb sh sw sd
addi slti sltiu xori ori andi slli srli srai add sub sll slt sltu xor srl sra or and
addiw slliw srliw sraiw addw subw sllw srlw sraw fence fence.tso fence.i ecall ebreak
csrrw csrrs csrrc csrrwi csrrsi csrrci mret sret wfi sfence.vma
mul mulh mulhsu mulhu div divu rem remu mulw divw divuw remw remuw
lr.w sc.w amoswap.w amoadd.w amoxor.w amoand.w amoor.w amomin.w amomax.w amominu.w amomaxu.w
lr.d sc.d amoswap.d amoadd.d amoxor.d amoand.d amoor.d amomin.d amomax.d amominu.d amomaxu.d
flw fsw fmadd.s fmsub.s fnmsub.s fnmadd.s fadd.s fsub.s fmul.s fdiv.s fsqrt.s fsgnj.s fsgnjn.s fsgnjx.s fmin.s fmax.s
fcvt.w.s fcvt.wu.s fcvt.l.s fcvt.lu.s fmv.x.w feq.s flt.s fle.s fclass.s fcvt.s.w fcvt.s.wu fcvt.s.l fcvt.s.lu fmv.w.x
fld fsd fmadd.d fmsub.d fnmsub.d fnmadd.d fadd.d fsub.d fmul.d fdiv.d fsqrt.d fsgnj.d fsgnjn.d fsgnjx.d fmin.d fmax.d
fcvt.s.d fcvt.d.s fcvt.w.d fcvt.wu.d fcvt.l.d fcvt.lu.d fmv.x.d feq.d flt.d fle.d fclass.d fcvt.d.w fcvt.d.wu fcvt.d.l fcvt.d.lu fmv.d.x
c.addi4spn c.fld c.lw c.ld c.fsd c.sw c.sd c.addi c.addiw c.li c.addi16sp c.lui c.srli c.srai c.andi c.sub c.xor c.or
c.and c.subw c.addw c.j c.beqz c.bnez c.slli c.fldsp c.lwsp c.ldsp c.jr c.mv c.ebreak c.jalr c.add c.fsdsp c.swsp c.sdsp
add.uw sh1add sh2add sh3add sh1add.uw sh2add.uw sh3add.uw slli.uw
andn orn xnor clz clzw ctz ctzw cpop cpopw max maxu min minu sext.b sext.h zext.h rol rolw ror rorw rori roriw orc.b rev8
bclr bclri bext bexti binv binvi bset bseti
`.trim().split(/\s+/); // prettier-ignore

/** Orderings are operands of atomics, not instructions of their own. */
const nameOf = (text: string): string => {
  const name = text.split(' ')[0] ?? '';
  return /^(amo|lr\.|sc\.)/.test(name) ? name.replace(/\.(aq|rl|aqrl)$/, '') : name;
};

/** Executions by instruction name, over any number of batches. */
export class Coverage {
  private readonly counts = new Map<string, number>();

  add(image: Image, executions: ReadonlyMap<bigint, number>): void {
    for (const [address, count] of executions) {
      const name = nameOf(image.disassembly.get(address) ?? 'elsewhere');
      this.counts.set(name, (this.counts.get(name) ?? 0) + count);
    }
  }

  missing(): string[] {
    return instructionNames.filter((name) => !this.counts.has(name));
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries([...this.counts].sort(([left], [right]) => (left < right ? -1 : 1)));
  }

  summary(): string {
    const known = instructionNames.map((name) => this.counts.get(name) ?? 0);
    const covered = known.filter((count) => count > 0);
    const total = [...this.counts.values()].reduce((sum, count) => sum + count, 0);
    const missing = this.missing();
    return (
      `${total.toLocaleString('en')} instructions, ${covered.length} of ${known.length} kinds, ` +
      `the rarest ${covered.length > 0 ? Math.min(...covered) : 0} times` +
      (missing.length > 0 ? `; never executed: ${missing.join(' ')}` : '')
    );
  }
}
