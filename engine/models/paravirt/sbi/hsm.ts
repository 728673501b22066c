/** Hart state management. SBI 3.0, chapter 9. The first hart is started at power-on, it starts the others. */
import { type SbiExtension, type SbiMachine, SbiError, fail, ok } from './sbi';

/** "HSM Hart States". */
const STARTED = 0n;
const STOPPED = 1n;
/** "HSM Hart Suspend Types". */
const RETENTIVE = 0n;
const NON_RETENTIVE = 0x8000_0000n;
const TYPE_MASK = 0xffff_ffffn;
/** Instructions are two bytes at least, and so aligned. */
const INSTRUCTION = 2n;

const exists = (machine: SbiMachine, hart: bigint): boolean => hart < BigInt(machine.harts);

export const hsm: SbiExtension = {
  name: 'HSM',
  id: 0x48534dn,
  functions: [
    // hart_start
    (machine, [hart, entry, argument]) => {
      if (!exists(machine, hart!)) return fail(SbiError.invalidParameter);
      if (!machine.isStopped(Number(hart))) return fail(SbiError.alreadyAvailable);
      if (entry! % INSTRUCTION !== 0n || machine.memory(entry!, INSTRUCTION) === undefined) {
        return fail(SbiError.invalidAddress);
      }
      machine.start(Number(hart), entry!, argument!);
      return ok();
    },
    // hart_stop
    (machine) => {
      const stopped = Array.from({ length: machine.harts }, (_, hart) => machine.isStopped(hart));
      // Of the last one, nobody would be left to start it again.
      if (stopped.filter((is) => !is).length === 1) return fail(SbiError.failed);
      machine.stop();
      return ok(); // nobody sees it
    },
    // hart_get_status
    (machine, [hart]) => {
      if (!exists(machine, hart!)) return fail(SbiError.invalidParameter);
      return ok(machine.isStopped(Number(hart)) ? STOPPED : STARTED);
    },
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
