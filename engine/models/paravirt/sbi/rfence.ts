/**
 * Remote fences. SBI 3.0, chapter 8. A fence may do more than it is asked for:
 * range and ASID are not looked at. There is no hypervisor extension, so the
 * HFENCE functions are not supported.
 */
import { type SbiExtension, type SbiFunction, SbiError, fail, forHarts } from './sbi';

const fence: SbiFunction = (machine, [mask, base]) =>
  forHarts(machine, mask!, base!, (hart) => machine.fence(hart));
const unsupported: SbiFunction = () => fail(SbiError.notSupported);

export const rfence: SbiExtension = {
  name: 'RFENCE',
  id: 0x52464e43n,
  functions: [
    fence, // remote_fence_i
    fence, // remote_sfence_vma
    fence, // remote_sfence_vma_asid
    unsupported, // remote_hfence_gvma_vmid
    unsupported, // remote_hfence_gvma
    unsupported, // remote_hfence_vvma_asid
    unsupported, // remote_hfence_vvma
  ],
};
