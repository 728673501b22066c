// Vector instructions, a file a family: what the rows of isa/v call.
export { vector_configure } from './configuration';
export { vector_clip, vector_fixed_point } from './fixed-point';
export {
  vector_carry,
  vector_compare,
  vector_extend,
  vector_integer,
  vector_merge,
  vector_narrowing,
  vector_widening,
} from './integer';
export {
  vector_first,
  vector_identity,
  vector_iota,
  vector_mask_first,
  vector_mask_logical,
  vector_population,
} from './masks';
export * from './memory';
export {
  vector_compress,
  vector_gather,
  vector_gather_16,
  vector_move_in,
  vector_move_out,
  vector_move_whole,
  vector_slide,
  vector_slide_one,
} from './permutations';
export { vector_reduce } from './reductions';
export {
  vector_float,
  vector_float_compare,
  vector_float_fused,
  vector_float_merge,
  vector_float_move_in,
  vector_float_move_out,
  vector_float_reduce,
  vector_float_slide_one,
  vector_float_unary,
  vector_float_widening,
} from './floating-point';
export {
  vector_float_convert,
  vector_float_convert_narrowing,
  vector_float_convert_widening,
} from './conversions';
