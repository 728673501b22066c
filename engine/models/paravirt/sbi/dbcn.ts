/**
 * Debug console. SBI 3.0, chapter 12. It writes to the guest's console; what
 * is typed goes to the virtio console, so there is never anything to read here.
 */
import { type SbiArguments, type SbiExtension, type SbiMachine, SbiError, fail, ok } from './sbi';

/** Bytes written at most by one call; the specification lets a write be partial. */
const LONGEST_WRITE = 0x1_0000n;

/** The memory that {num_bytes, base_addr_lo, base_addr_hi} names; the high half is of RV128 and must be zero. */
const buffer = (machine: SbiMachine, [length, low, high]: SbiArguments): Uint8Array | undefined =>
  high === 0n ? machine.memory(low!, length!) : undefined;

export const dbcn: SbiExtension = {
  name: 'DBCN',
  id: 0x4442434en,
  functions: [
    // console_write
    (machine, args) => {
      const bytes = buffer(machine, args);
      if (!bytes) return fail(SbiError.invalidParameter);
      const written = bytes.subarray(0, Number(LONGEST_WRITE));
      machine.writeConsole(written);
      return ok(BigInt(written.length));
    },
    // console_read
    (machine, args) => (buffer(machine, args) ? ok(0n) : fail(SbiError.invalidParameter)),
    // console_write_byte
    (machine, [byte]) => {
      machine.writeConsole(Uint8Array.of(Number(byte! & 0xffn)));
      return ok();
    },
  ],
};
