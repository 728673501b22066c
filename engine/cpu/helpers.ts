/**
 * The helpers that semantics may call, by name: signature, and whether state
 * must be committed before and looked at again after (`effect`). They are
 * exports of the helper module (assembly/index.ts).
 */
import type { Signature } from '../wasm/module-builder';
import type { IntegerType } from '../wasm/opcodes';

export interface Helper {
  readonly signature: Signature;
  /** May trap, write CSRs, or change mode or translation. */
  readonly effect: boolean;
}

const define = (effect: boolean, parameters: string, result?: IntegerType): Helper => ({
  effect,
  signature: {
    parameters: parameters.split(' ').filter(Boolean) as IntegerType[],
    ...(result && { result }),
  },
});
const pure = (parameters: string, result: IntegerType): Helper => define(false, parameters, result);
const effect = (parameters: string, result?: IntegerType): Helper => define(true, parameters, result);

const formats = ['s', 'd', 'h'] as const;
const integers = ['w', 'wu', 'l', 'lu'] as const;
const named = (names: readonly string[], helper: Helper): [string, Helper][] =>
  names.map((name) => [name, helper]);
const perFormat = (names: readonly string[]): string[] =>
  names.flatMap((name) => formats.map((f) => `${name}_${f}`));

/** Accruing fflags is no effect: nothing but the CSR helpers reads them. */
const floats: [string, Helper][] = [
  ...named(perFormat(['fadd', 'fsub', 'fmul', 'fdiv']), pure('i64 i64 i32', 'i64')),
  ...named(perFormat(['fsqrt']), pure('i64 i32', 'i64')),
  ...named(perFormat(['fmadd', 'fmsub', 'fnmsub', 'fnmadd']), pure('i64 i64 i64 i32', 'i64')),
  ...named(
    perFormat(['fsgnj', 'fsgnjn', 'fsgnjx', 'fmin', 'fmax', 'feq', 'flt', 'fle']),
    pure('i64 i64', 'i64'),
  ),
  ...named(perFormat(['fclass']), pure('i64', 'i64')),
  ...integers.flatMap((i) =>
    formats.flatMap((f) => named([`fcvt_${i}_${f}`, `fcvt_${f}_${i}`], pure('i64 i32', 'i64'))),
  ),
  ...named(['fcvt_s_d', 'fcvt_d_s', 'fcvt_s_h', 'fcvt_h_s', 'fcvt_d_h', 'fcvt_h_d'], pure('i64 i32', 'i64')),
  ...named(perFormat(['fli']), pure('i32', 'i64')),
  ...named(perFormat(['fminm', 'fmaxm', 'fltq', 'fleq']), pure('i64 i64', 'i64')),
  ...named(perFormat(['fround', 'froundnx']), pure('i64 i32', 'i64')),
  ['fcvtmod_w_d', pure('i64', 'i64')],
];

export const helpers: ReadonlyMap<string, Helper> = new Map([
  ['raise', effect('i32 i64')],
  ['illegal', effect('i32')],
  ['environment_call', effect('')],
  ['float_enabled', effect('i32', 'i32')],
  ['rounding_mode', effect('i32 i32', 'i32')],
  ['csr', effect('i32 i32 i64 i32', 'i64')],
  ['mret', effect('i32')],
  ['sret', effect('i32')],
  ['wfi', effect('i32')],
  ['sfence_vma', effect('i32 i64 i32')],
  ['supervisor_fence', effect('i32')],
  ['fence_i', effect('')],
  ['mulh', pure('i64 i64', 'i64')],
  ['mulhu', pure('i64 i64', 'i64')],
  ['mulhsu', pure('i64 i64', 'i64')],
  ...named(['clmul', 'clmulh', 'clmulr'], pure('i64 i64', 'i64')),
  ['load_slow', effect('i64 i32', 'i64')],
  ['store_slow', effect('i64 i32 i64')],
  ['atomic_address', effect('i64 i32', 'i32')],
  ['load_reserved_w', effect('i64', 'i64')],
  ['load_reserved_d', effect('i64', 'i64')],
  ['store_conditional_w', effect('i64 i64', 'i64')],
  ['store_conditional_d', effect('i64 i64', 'i64')],
  ...named(['amocas_w', 'amocas_d', 'amocas_q'], effect('i64 i32 i32')),
  ...named(['cbo_inval', 'cbo_clean', 'cbo_flush', 'cbo_zero'], effect('i64 i32')),
  ...named(['wait_on_reservation', 'wait_shortly_on_reservation'], effect('i32')),
  ...named(['bulk_copy', 'bulk_move', 'bulk_fill'], effect('i32 i32 i32')),
  ...named(['bulk_multiply', 'bulk_reduce'], effect('i32 i32 i32 i32 i32')),
  ['fetch_page', effect('i64', 'i32')],
  ['fetch_word', effect('i64', 'i32')],
  ['pause', effect('')],
  ['poll', effect('', 'i32')],
  ...floats,
]);
