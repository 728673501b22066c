/** Timer extension. SBI 3.0, chapter 6. Kernels that know Sstc write stimecmp themselves. */
import { type SbiExtension, ok } from './sbi';

export const time: SbiExtension = {
  name: 'TIME',
  id: 0x54494d45n,
  functions: [
    (machine, [ticks]) => {
      machine.setTimer(ticks!);
      return ok();
    },
  ],
};
