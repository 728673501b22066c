/** Inter-processor interrupts. SBI 3.0, chapter 7. */
import { type SbiExtension, forHarts } from './sbi';

export const ipi: SbiExtension = {
  name: 'IPI',
  id: 0x735049n,
  functions: [
    (machine, [mask, base]) =>
      forHarts(machine, mask!, base!, (hart) => machine.raiseSoftwareInterrupt(hart)),
  ],
};
