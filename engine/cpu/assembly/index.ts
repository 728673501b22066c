// The helper module: what generated code calls, and the embedder's few entries.
export * from './access';
export { bulk_copy, bulk_fill, bulk_move } from './bulk';
export * from './csr';
export * from './float';
export { pmp_update } from './pmp';
export { sfence_vma, fence_i, tlb_flush, tlb_clean } from './mmu';
export { bulk_multiply, bulk_reduce } from './large-numbers';
export * from './multiply';
export { poll, update_timers } from './run';
export { requestPoll as request_poll, selectTlbs as select_tlbs } from './state';
export {
  takeInterrupt as take_interrupt,
  raise,
  illegal,
  environment_call,
  mret,
  sret,
  wfi,
  float_enabled,
} from './trap';
