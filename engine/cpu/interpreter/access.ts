/** The widths of loads and stores, as WebAssembly has them. */
import type { LoadKind, StoreKind } from '../../isa/emitter';
import type { Conversion, MemoryOperator } from '../../wasm/opcodes';

export interface LoadShape {
  readonly size: number;
  readonly operator: MemoryOperator;
  /** For values that a helper gives zero-extended. */
  readonly extend?: Conversion;
}

export const loads: Readonly<Record<LoadKind, LoadShape>> = {
  b: { size: 1, operator: 'i64.load8_s', extend: 'i64.extend8_s' },
  h: { size: 2, operator: 'i64.load16_s', extend: 'i64.extend16_s' },
  w: { size: 4, operator: 'i64.load32_s', extend: 'i64.extend32_s' },
  d: { size: 8, operator: 'i64.load' },
  bu: { size: 1, operator: 'i64.load8_u' },
  hu: { size: 2, operator: 'i64.load16_u' },
  wu: { size: 4, operator: 'i64.load32_u' },
};

export const stores: Readonly<Record<StoreKind, { size: number; operator: MemoryOperator }>> = {
  b: { size: 1, operator: 'i64.store8' },
  h: { size: 2, operator: 'i64.store16' },
  w: { size: 4, operator: 'i64.store32' },
  d: { size: 8, operator: 'i64.store' },
};
