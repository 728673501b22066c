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
  /** Reads or writes guest registers in memory, beyond its arguments and its result. */
  readonly cells: boolean;
}

const define = (effect: boolean, cells: boolean, parameters: string, result?: IntegerType): Helper => ({
  effect,
  cells,
  signature: {
    parameters: parameters.split(' ').filter(Boolean) as IntegerType[],
    ...(result && { result }),
  },
});
const pure = (parameters: string, result: IntegerType): Helper => define(false, false, parameters, result);
/** To be on the safe side: a helper with an effect is taken to work on registers, unless it is said that it does not. */
const effect = (parameters: string, result?: IntegerType): Helper => define(true, true, parameters, result);
const onArguments = (parameters: string, result?: IntegerType): Helper =>
  define(true, false, parameters, result);

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

/** Vector instructions read and write their registers in memory; scalars come and go as values. */
const vectors: [string, Helper][] = [
  ...named(['vector_configure'], effect('i32 i64 i64', 'i64')),
  ...named(
    [
      'vector_load',
      'vector_load_indexed',
      'vector_load_fault_only_first',
      'vector_load_whole',
      'vector_load_mask',
    ],
    effect('i32 i64'),
  ),
  ...named(
    ['vector_store', 'vector_store_indexed', 'vector_store_whole', 'vector_store_mask'],
    effect('i32 i64'),
  ),
  ...named(['vector_load_strided', 'vector_store_strided'], effect('i32 i64 i64')),
  ...named(
    [
      ...['integer', 'carry', 'compare', 'merge', 'widening', 'narrowing', 'fixed_point', 'clip'],
      ...['float', 'float_fused', 'float_widening', 'float_compare', 'float_merge'],
      ...['reduce', 'float_reduce', 'mask_logical', 'move_in', 'float_move_in'],
      ...['slide', 'slide_one', 'float_slide_one', 'gather', 'gather_16'],
    ].map((name) => `vector_${name}`),
    effect('i32 i64'),
  ),
  ...named(
    [
      ...['extend', 'float_unary', 'float_convert', 'float_convert_widening', 'float_convert_narrowing'],
      ...['mask_first', 'iota', 'identity', 'compress', 'move_whole'],
    ].map((name) => `vector_${name}`),
    effect('i32'),
  ),
  ...named(
    ['vector_population', 'vector_first', 'vector_move_out', 'vector_float_move_out'],
    effect('i32', 'i64'),
  ),
];

export const helpers: ReadonlyMap<string, Helper> = new Map([
  ['raise', onArguments('i32 i64')],
  ['illegal', onArguments('i32')],
  ['environment_call', onArguments('')],
  ['float_enabled', onArguments('i32', 'i32')],
  ['rounding_mode', onArguments('i32 i32', 'i32')],
  ['csr', onArguments('i32 i32 i64 i32', 'i64')],
  ['mret', onArguments('i32')],
  ['sret', onArguments('i32')],
  ['wfi', onArguments('i32')],
  ['sfence_vma', onArguments('i32 i64 i32 i64 i32')],
  ['supervisor_fence', onArguments('i32')],
  ['fence_i', onArguments('')],
  ['mulh', pure('i64 i64', 'i64')],
  ['mulhu', pure('i64 i64', 'i64')],
  ['mulhsu', pure('i64 i64', 'i64')],
  ...named(['clmul', 'clmulh', 'clmulr'], pure('i64 i64', 'i64')),
  ['load_slow', onArguments('i64 i32', 'i64')],
  ['store_slow', onArguments('i64 i32 i64')],
  ['atomic_address', onArguments('i64 i32', 'i32')],
  ...named(['settle_load', 'settle_store', 'settle_atomic'], pure('i64 i32', 'i32')),
  ['load_reserved_w', onArguments('i64', 'i64')],
  ['load_reserved_d', onArguments('i64', 'i64')],
  ['store_conditional_w', onArguments('i64 i64', 'i64')],
  ['store_conditional_d', onArguments('i64 i64', 'i64')],
  ...named(['amocas_w', 'amocas_d', 'amocas_q'], effect('i64 i32 i32')),
  ...named(['cbo_inval', 'cbo_clean', 'cbo_flush', 'cbo_zero'], onArguments('i64 i32')),
  ...named(['wait_on_reservation', 'wait_shortly_on_reservation'], onArguments('i32')),
  ...named(['bulk_copy', 'bulk_move', 'bulk_fill'], effect('i32 i32 i32')),
  ...named(['bulk_multiply', 'bulk_reduce'], effect('i32 i32 i32 i32 i32')),
  ['fetch_page', onArguments('i64', 'i32')],
  ['fetch_word', onArguments('i64', 'i32')],
  ['hot', pure('i64 i32', 'i32')],
  ['pause', onArguments('')],
  ['poll', onArguments('', 'i32')],
  ...floats,
  ...vectors,
]);
