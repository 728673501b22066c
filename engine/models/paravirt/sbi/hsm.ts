/** Hart state management. SBI 3.0, chapter 9. All harts are started, from power-on on. */
import { type SbiExtension, SbiError, fail, ok } from './sbi';

const STARTED = 0n;
/** "HSM Hart Suspend Types". */
const RETENTIVE = 0n;
const NON_RETENTIVE = 0x8000_0000n;
const TYPE_MASK = 0xffff_ffffn;

export const hsm: SbiExtension = {
  name: 'HSM',
  id: 0x48534dn,
  functions: [
    // hart_start
    (machine, [hart]) =>
      fail(hart! < BigInt(machine.harts) ? SbiError.alreadyAvailable : SbiError.invalidParameter),
    // hart_stop: nobody would be left to start it again
    () => fail(SbiError.failed),
    // hart_get_status
    (machine, [hart]) => (hart! < BigInt(machine.harts) ? ok(STARTED) : fail(SbiError.invalidParameter)),
    // hart_suspend: the type is 32 bits
    (machine, [type]) => {
      const kind = type! & TYPE_MASK;
      if (kind === NON_RETENTIVE) return fail(SbiError.notSupported);
      if (kind !== RETENTIVE) return fail(SbiError.invalidParameter);
      machine.wait();
      return ok();
    },
  ],
};
