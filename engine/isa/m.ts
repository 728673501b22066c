// Multiplication and division. Unprivileged ISA manual, "M".
// Division by zero gives all ones (remainder: the dividend); the one signed
// overflow gives the dividend (remainder: zero). Neither traps.
import type { Emitter, I32, I64, Integer } from './emitter';
import { type Semantics, extension, instruction } from './instruction';

type Width = 'word' | 'doubleword';

interface Operands {
  a: Integer;
  b: Integer;
  constant(value: number): Integer;
  write(value: Integer): void;
}

/** The operands at their width, and how a result of that width is written. */
function operands(x: Emitter, width: Width): Operands {
  if (width === 'word') {
    return {
      a: x.let(x.wrap(x.rs1)),
      b: x.let(x.wrap(x.rs2)),
      constant: (value) => x.const32(value),
      write: (value) => x.rd(x.sext(value as I32)),
    };
  }
  return {
    a: x.let(x.rs1),
    b: x.let(x.rs2),
    constant: (value) => x.const(value),
    write: (value) => x.rd(value as I64),
  };
}

const divide =
  (width: Width): Semantics =>
  (x) => {
    const { a, b, constant, write } = operands(x, width);
    x.if(
      x.isZero(b),
      () => write(constant(-1)),
      () =>
        x.if(
          x.eq(b, constant(-1)),
          () => write(x.sub(constant(0), a)),
          () => write(x.divS(a, b)),
        ),
    );
  };

const remainder =
  (width: Width): Semantics =>
  (x) => {
    const { a, b, constant, write } = operands(x, width);
    x.if(
      x.isZero(b),
      () => write(a),
      () =>
        x.if(
          x.eq(b, constant(-1)),
          () => write(constant(0)),
          () => write(x.remS(a, b)),
        ),
    );
  };

const divideUnsigned =
  (width: Width): Semantics =>
  (x) => {
    const { a, b, constant, write } = operands(x, width);
    x.if(
      x.isZero(b),
      () => write(constant(-1)),
      () => write(x.divU(a, b)),
    );
  };

const remainderUnsigned =
  (width: Width): Semantics =>
  (x) => {
    const { a, b, write } = operands(x, width);
    x.if(
      x.isZero(b),
      () => write(a),
      () => write(x.remU(a, b)),
    );
  };

const high =
  (helper: string): Semantics =>
  (x) =>
    x.rd(x.call(helper, [x.rs1, x.rs2]) as I64);

export const mul: Semantics = (x) => x.rd(x.mul(x.rs1, x.rs2));

export const m = extension('m', [
  instruction('mul', '0000001 rs2 rs1 000 rd 0110011', 'rd, rs1, rs2', mul),
  instruction('mulh', '0000001 rs2 rs1 001 rd 0110011', 'rd, rs1, rs2', high('mulh')),
  instruction('mulhsu', '0000001 rs2 rs1 010 rd 0110011', 'rd, rs1, rs2', high('mulhsu')),
  instruction('mulhu', '0000001 rs2 rs1 011 rd 0110011', 'rd, rs1, rs2', high('mulhu')),
  instruction('div', '0000001 rs2 rs1 100 rd 0110011', 'rd, rs1, rs2', divide('doubleword')),
  instruction('divu', '0000001 rs2 rs1 101 rd 0110011', 'rd, rs1, rs2', divideUnsigned('doubleword')),
  instruction('rem', '0000001 rs2 rs1 110 rd 0110011', 'rd, rs1, rs2', remainder('doubleword')),
  instruction('remu', '0000001 rs2 rs1 111 rd 0110011', 'rd, rs1, rs2', remainderUnsigned('doubleword')),
  instruction('mulw', '0000001 rs2 rs1 000 rd 0111011', 'rd, rs1, rs2', (x) =>
    x.rd(x.sext32(x.mul(x.rs1, x.rs2))),
  ),
  instruction('divw', '0000001 rs2 rs1 100 rd 0111011', 'rd, rs1, rs2', divide('word')),
  instruction('divuw', '0000001 rs2 rs1 101 rd 0111011', 'rd, rs1, rs2', divideUnsigned('word')),
  instruction('remw', '0000001 rs2 rs1 110 rd 0111011', 'rd, rs1, rs2', remainder('word')),
  instruction('remuw', '0000001 rs2 rs1 111 rd 0111011', 'rd, rs1, rs2', remainderUnsigned('word')),
]);
