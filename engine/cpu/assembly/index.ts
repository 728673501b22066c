// The helper module: what generated code calls, and the embedder's few entries.
export * from './access';
export { bulk_copy, bulk_fill, bulk_move } from './bulk';
export { cbo_clean, cbo_flush, cbo_inval, cbo_zero } from './cache-blocks';
export * from './compare-and-swap';
export * from './csr';
export * from './float';
export * from './float-additional';
export * from './float-half';
export { pmp_update } from './pmp';
export { sfence_vma, supervisor_fence, fence_i, settle_load, settle_store, settle_atomic } from './mmu';
export {
  tlb_clean,
  tlb_reset,
  forgetSpaces as forget_spaces,
  forgetPage as forget_page,
  selectSpace as select_space,
} from './tlb';
export { bulk_multiply, bulk_reduce } from './large-numbers';
export * from './multiply';
export { poll, update_timers } from './run';
export { requestPoll as request_poll, selectTlbs as select_tlbs } from './state';
export { hot } from './translation';
export {
  takeInterrupt as take_interrupt,
  raise,
  illegal,
  environment_call,
  mret,
  sret,
  wfi,
  pause,
  wait_on_reservation,
  wait_shortly_on_reservation,
  float_enabled,
} from './trap';
export * from './vector';
