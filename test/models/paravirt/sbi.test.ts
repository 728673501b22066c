/** The SBI, function by function, with what a hostile guest would pass. RISC-V SBI Specification 3.0. */
import fc from 'fast-check';
import { SbiError, type SbiMachine, sbiCall, sbiExtensions } from '../../../engine/models/paravirt/sbi';

const ALL = (1n << 64n) - 1n;
const RAM = 0x8000_0000n;
const EXTENSION = {
  base: 0x10n, time: 0x54494d45n, ipi: 0x735049n, rfence: 0x52464e43n,
  hsm: 0x48534dn, srst: 0x53525354n, dbcn: 0x4442434en, pmu: 0x504d55n, susp: 0x53555350n,
} as const; // prettier-ignore

/** A machine with 64 KiB of RAM that writes down what is done to it: two harts run, a third is stopped. */
function machine(stopped = [false, false, true]): { log: string[]; machine: SbiMachine } {
  const log: string[] = [];
  const ram = new Uint8Array(0x1_0000).map((_, index) => 0x41 + (index % 26));
  return {
    log,
    machine: {
      harts: stopped.length,
      setTimer: (ticks) => void log.push(`timer ${ticks}`),
      raiseSoftwareInterrupt: (hart) => void log.push(`ipi ${hart}`),
      fence: (hart) => void log.push(`fence ${hart}`),
      wait: () => void log.push('wait'),
      isStopped: (hart) => stopped[hart]!,
      start: (hart, entry, argument) => void log.push(`start ${hart} ${entry} ${argument}`),
      stop: () => void log.push('stop'),
      end: (how, code) => void log.push(`${how} ${code}`),
      memory: (address, length) =>
        address >= RAM && address + length <= RAM + BigInt(ram.length)
          ? ram.subarray(Number(address - RAM), Number(address - RAM + length))
          : undefined,
      writeConsole: (bytes) => void log.push(`console ${Buffer.from(bytes).toString()}`),
    },
  };
}

type Row = [
  name: string,
  extension: bigint,
  call: number,
  args: (bigint | number)[],
  error: bigint,
  value?: bigint,
  done?: string[],
];

const { success, failed, notSupported, invalidParameter, invalidAddress, alreadyAvailable } = SbiError;

test.each<Row>([
  ['specification 3.0', EXTENSION.base, 0, [], success, 3n << 24n],
  ['probe of what is there', EXTENSION.base, 3, [EXTENSION.hsm], success, 1n],
  ['probe of itself', EXTENSION.base, 3, [EXTENSION.base], success, 1n],
  ['probe of what is not there', EXTENSION.base, 3, [EXTENSION.pmu], success, 0n],
  ['probe of a wild number', EXTENSION.base, 3, [ALL], success, 0n],
  ['no such function', EXTENSION.base, 7, [], notSupported],
  ['no such extension', EXTENSION.susp, 0, [], notSupported],
  ['legacy extension', 1n, 0, [0x41], notSupported],

  ['timer', EXTENSION.time, 0, [5], success, 0n, ['timer 5']],
  ['timer never', EXTENSION.time, 0, [ALL], success, 0n, [`timer ${ALL}`]],

  ['ipi to one', EXTENSION.ipi, 0, [2, 0], success, 0n, ['ipi 1']],
  ['ipi from a base on', EXTENSION.ipi, 0, [1, 1], success, 0n, ['ipi 1']],
  ['ipi to all', EXTENSION.ipi, 0, [0, ALL], success, 0n, ['ipi 0', 'ipi 1', 'ipi 2']],
  ['ipi to none', EXTENSION.ipi, 0, [0, 0], success, 0n, []],
  ['ipi to a hart that is not there', EXTENSION.ipi, 0, [15, 0], invalidParameter, 0n, []],
  ['ipi from a wild base', EXTENSION.ipi, 0, [1, ALL - 1n], invalidParameter, 0n, []],

  ['fence.i', EXTENSION.rfence, 0, [1, 0], success, 0n, ['fence 0']],
  ['sfence.vma of a range', EXTENSION.rfence, 1, [3, 0, ALL, ALL], success, 0n, ['fence 0', 'fence 1']],
  ['sfence.vma with ASID', EXTENSION.rfence, 2, [1, 0, 0, 0, ALL], success, 0n, ['fence 0']],
  ['fence of a hart that is not there', EXTENSION.rfence, 1, [8, 0], invalidParameter, 0n, []],
  ['hfence', EXTENSION.rfence, 3, [1, 0], notSupported, 0n, []],

  ['start', EXTENSION.hsm, 0, [2, RAM + 2n, ALL], success, 0n, [`start 2 ${RAM + 2n} ${ALL}`]],
  ['start of a started hart', EXTENSION.hsm, 0, [1, RAM, 0], alreadyAvailable, 0n, []],
  ['start of no hart', EXTENSION.hsm, 0, [ALL, RAM, 0], invalidParameter, 0n, []],
  ['start where no RAM is', EXTENSION.hsm, 0, [2, 0x1000, 0], invalidAddress, 0n, []],
  ['start behind the end of RAM', EXTENSION.hsm, 0, [2, RAM + 0x1_0000n, 0], invalidAddress, 0n, []],
  ['start at an odd address', EXTENSION.hsm, 0, [2, RAM + 1n, 0], invalidAddress, 0n, []],
  ['start at the last address', EXTENSION.hsm, 0, [2, ALL - 1n, 0], invalidAddress, 0n, []],
  ['stop', EXTENSION.hsm, 1, [], success, 0n, ['stop']],
  ['status of a started hart', EXTENSION.hsm, 2, [1], success, 0n],
  ['status of a stopped hart', EXTENSION.hsm, 2, [2], success, 1n],
  ['status of no hart', EXTENSION.hsm, 2, [3], invalidParameter],
  ['suspend', EXTENSION.hsm, 3, [0], success, 0n, ['wait']],
  ['suspend, upper half is not looked at', EXTENSION.hsm, 3, [0xffff_ffff_0000_0000n], success, 0n, ['wait']],
  ['suspend without retention', EXTENSION.hsm, 3, [0x8000_0000], notSupported, 0n, []],
  ['suspend of a reserved type', EXTENSION.hsm, 3, [1], invalidParameter, 0n, []],

  ['shutdown', EXTENSION.srst, 0, [0, 0], success, 0n, ['power-off 0']],
  ['shutdown after a failure', EXTENSION.srst, 0, [0, 1], success, 0n, ['failure 1']],
  ['cold reboot', EXTENSION.srst, 0, [1, 0], success, 0n, ['reset 0']],
  ['warm reboot', EXTENSION.srst, 0, [2, 0], success, 0n, ['reset 0']],
  ['reserved reset type', EXTENSION.srst, 0, [3, 0], invalidParameter, 0n, []],
  ['reserved reset reason', EXTENSION.srst, 0, [0, 2], invalidParameter, 0n, []],

  ['write', EXTENSION.dbcn, 0, [3, RAM, 0], success, 3n, ['console ABC']],
  ['write of the last byte of RAM', EXTENSION.dbcn, 0, [1, RAM + 0xffffn, 0], success, 1n],
  ['write beyond RAM', EXTENSION.dbcn, 0, [2, RAM + 0xffffn, 0], invalidParameter, 0n, []],
  ['write of what is no RAM', EXTENSION.dbcn, 0, [1, 0, 0], invalidParameter, 0n, []],
  ['write of everything', EXTENSION.dbcn, 0, [ALL, RAM, 0], invalidParameter, 0n, []],
  ['write whose end wraps', EXTENSION.dbcn, 0, [ALL - RAM + 2n, RAM, 0], invalidParameter, 0n, []],
  ['write above 2^64', EXTENSION.dbcn, 0, [1, RAM, 1], invalidParameter, 0n, []],
  ['read, nothing there', EXTENSION.dbcn, 1, [16, RAM, 0], success, 0n, []],
  ['read to what is no RAM', EXTENSION.dbcn, 1, [16, 64, 0], invalidParameter, 0n, []],
  ['write of a byte', EXTENSION.dbcn, 2, [0x141], success, 0n, ['console A']],
])('%s', (_, extension, call, args, error, value = 0n, done) => {
  const { machine: it, log } = machine();
  const padded = [...args.map(BigInt), ...new Array<bigint>(6).fill(0n)].slice(0, 6);
  const result = sbiCall(it, extension, BigInt(call), padded);
  expect([result.error, result.value ?? 0n]).toEqual([error, value]);
  if (done) expect(log).toEqual(done);
});

test('the last hart that runs cannot stop: nobody would start it again', () => {
  const { machine: it, log } = machine([true, false, true]);
  expect(sbiCall(it, EXTENSION.hsm, 1n, [0n, 0n, 0n, 0n, 0n, 0n]).error).toBe(failed);
  expect(log).toEqual([]);
});

test('whatever a guest passes, the answer is an SBI error or success', () => {
  const known = new Set<bigint>(Object.values(SbiError));
  const number = fc.oneof(
    fc.bigInt({ min: 0n, max: ALL }),
    fc.constantFrom(0n, 1n, 2n, ALL, ALL - 1n, RAM, RAM + 0xfff0n, 1n << 63n),
  );
  const extension = fc.oneof(fc.constantFrom(...sbiExtensions.map(({ id }) => id)), number);
  fc.assert(
    fc.property(
      extension,
      fc.oneof(fc.bigInt(0n, 8n), number),
      fc.array(number, { minLength: 6, maxLength: 6 }),
      (id, call, args) => {
        const { machine: it } = machine();
        expect(known.has(sbiCall(it, id, call, args).error)).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
});
