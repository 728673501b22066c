/** System reset. SBI 3.0, chapter 10. */
import { type SbiExtension, SbiError, fail, ok } from './sbi';

const TYPE = { shutdown: 0n, coldReboot: 1n, warmReboot: 2n };
const REASON = { none: 0n, systemFailure: 1n };
const MASK = 0xffff_ffffn;

export const srst: SbiExtension = {
  name: 'SRST',
  id: 0x53525354n,
  functions: [
    (machine, [type, reason]) => {
      const how = type! & MASK;
      const why = reason! & MASK;
      if (how > TYPE.warmReboot || why > REASON.systemFailure) return fail(SbiError.invalidParameter);
      if (how !== TYPE.shutdown) machine.end('reset', 0);
      else if (why === REASON.systemFailure) machine.end('failure', 1);
      else machine.end('power-off', 0);
      return ok(); // nobody sees it
    },
  ],
};
