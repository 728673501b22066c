/** Any system call with any arguments: an errno, never a thrown error, never a byte outside the container. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import * as at from '../../../engine/cpu/layout';
import type { Container } from '../../../engine/models/container/container';
import type { Kernel } from '../../../engine/models/container/kernel/kernel';
import { dispatch } from '../../../engine/models/container/syscalls/dispatch';
import { systemCalls } from '../../../engine/models/container/syscalls/index';
import { busyboxArchive, createContainer, fingerprint, runContainer } from '../../guests/container';
import { describeWith, images } from '../../requirement';

const runs = process.env['TEST_FULL'] === '1' ? 2000 : 40;

const kernelOf = (guest: Container): Kernel => (guest as unknown as { kernel: Kernel }).kernel;

/** Addresses of a busybox process, and what is wrong around them; small numbers; anything. */
const argument = fc.oneof(
  fc.constantFrom(
    0n, 1n, 2n, 3n, 0x10000n, 0x10ff8n, 0x190000n, 0x1a4ffdn, 0x3fffffd000n, 0x3fffffdff8n, 0x3fffffefffn,
    0x4000000000n, 0x3ffffff000n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 1n << 53n, 1n << 62n, 1n << 63n,
    (1n << 64n) - 1n, (1n << 64n) - 100n, (1n << 64n) - 4096n,
  ),
  fc.bigInt({ min: 0n, max: 64n }),
  fc.bigInt({ min: 0x3fffff0000n, max: 0x4000000000n }),
  fc.bigInt({ min: 0n, max: 0x200000n }),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
); // prettier-ignore

const attempt = fc.record({
  number: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...systemCalls.map(({ number }) => number)) },
    { weight: 1, arbitrary: fc.nat(500) },
  ),
  arguments: fc.array(argument, { minLength: 6, maxLength: 6 }),
});

describeWith([images('busybox')], 'system calls with arguments of any kind', () => {
  const archive = busyboxArchive();
  const make = (): Container =>
    createContainer(['/bin/sleep', '100'], { archive, definition: { pids: 6, memory: 4 * 2 ** 20 } });

  /** One call as the program would make it, from the first task that is alive. */
  function callOnce(kernel: Kernel, number: number, registers: readonly bigint[]): void {
    const task = [...kernel.tasks.values()][0];
    if (!task) return;
    const queued = kernel.queue.indexOf(task);
    if (queued >= 0) kernel.queue.splice(queued, 1);
    task.state = 'runnable';
    task.wait = task.call = task.interrupted = undefined;
    kernel.load(task);
    registers.forEach((value, i) => kernel.hart.setX(10 + i, value));
    kernel.hart.setX(17, BigInt(number));
    dispatch(kernel, task);
  }

  test('never throw, touch nothing of the host, and leave a state that can be saved and restored', () => {
    fc.assert(
      fc.property(fc.array(attempt, { minLength: 30, maxLength: 60 }), (attempts) => {
        const guest = make();
        expect(guest.run({ instructions: 1_000_000 }).reason).toBe('idle');
        const kernel = kernelOf(guest);
        const memory = new Uint8Array(kernel.hart.memory.buffer);
        const tables = (): string =>
          createHash('sha256').update(memory.subarray(at.CSR_INDEX, at.TLB)).digest('hex');
        const before = tables();
        for (const { number, arguments: registers } of attempts) callOnce(kernel, number, registers);
        expect(tables()).toBe(before);
        guest.takeOutput(); // no part of the state
        const saved = guest.save();
        const copy = make();
        for (const [i, space] of guest.spaces.entries()) {
          for (const page of space.dirty()) copy.spaces[i]?.load(page, space.read(page).slice());
        }
        copy.restore(saved);
        expect(fingerprint(copy)).toBe(fingerprint(guest));
        // Whatever the calls made of the program: it runs on, or is killed, and the two alike.
        const end = guest.instructions + 200_000;
        expect(runContainer(copy, end)).toEqual(runContainer(guest, end));
        expect(fingerprint(copy)).toBe(fingerprint(guest));
      }),
      { numRuns: runs },
    );
  }, 600_000);

  /** Calls with one bad pointer each, of which the manual page says EFAULT: name, then arguments. */
  const BAD = 8n;
  const HERE = (1n << 64n) - 100n;
  const wild: readonly (readonly [string, ...bigint[]])[] = [
    ['read', 0n, BAD, 10n], ['write', 1n, BAD, 10n], ['readv', 0n, BAD, 1n], ['writev', 1n, BAD, 1n],
    ['openat', HERE, BAD, 0n], ['newfstatat', HERE, BAD, 0x3fffffd000n], ['fstat', 0n, BAD], ['statx', HERE, BAD],
    ['readlinkat', HERE, BAD, BAD, 10n], ['faccessat', HERE, BAD, 0n], ['mkdirat', HERE, BAD], ['unlinkat', HERE, BAD, 0n],
    ['symlinkat', BAD, HERE, BAD], ['linkat', HERE, BAD, HERE, BAD], ['renameat2', HERE, BAD, HERE, BAD], ['chdir', BAD],
    ['chroot', BAD], ['fchmodat', HERE, BAD], ['fchownat', HERE, BAD], ['utimensat', HERE, BAD], ['truncate', BAD, 0n],
    ['statfs', BAD, BAD], ['fstatfs', 0n, BAD], ['getcwd', BAD, 100n], ['mknodat', HERE, BAD], ['memfd_create', BAD, 0n],
    ['pipe2', BAD, 0n], ['socketpair', 1n, 1n, 0n, BAD], ['ppoll', BAD, 1n], ['pselect6', 1n, BAD], ['ioctl', 0n, 0x5401n, BAD],
    ['execve', BAD, 0n, 0n], ['clone3', BAD, 88n], ['uname', BAD], ['sysinfo', BAD], ['getrandom', BAD, 10n, 0n],
    ['clock_gettime', 0n, BAD], ['clock_getres', 0n, BAD], ['clock_nanosleep', 0n, 0n, BAD], ['nanosleep', BAD, 0n],
    ['gettimeofday', BAD, 0n], ['setitimer', 0n, BAD], ['getitimer', 0n, BAD], ['times', BAD], ['getrusage', 0n, BAD],
    ['prlimit64', 0n, 7n, BAD, 0n], ['getrlimit', 7n, BAD], ['setrlimit', 7n, BAD], ['sched_getaffinity', 0n, 8n, BAD],
    ['futex', BAD, 0n, 0n, 0n], ['futex', BAD, 1n, 1n], ['rt_sigaction', 1n, BAD, 0n, 8n], ['rt_sigprocmask', 0n, BAD, 0n, 8n],
    ['rt_sigpending', BAD, 8n], ['rt_sigsuspend', BAD, 8n], ['rt_sigtimedwait', BAD, 0n, 0n, 8n], ['sigaltstack', BAD, 0n],
    ['riscv_hwprobe', BAD, 1n], ['getresuid', BAD, BAD, BAD], ['setgroups', 1n, BAD], ['get_robust_list', 0n, BAD, BAD],
    ['sethostname', BAD, 4n], ['prctl', 15n, BAD], ['epoll_ctl', 3n, 1n, 0n, BAD],
  ]; // prettier-ignore

  test.each(wild.map(([name, ...registers]) => [name, registers] as const))(
    '%s of a wild pointer: EFAULT',
    (name, registers) => {
      const guest = make();
      guest.run({ instructions: 1_000_000 });
      const kernel = kernelOf(guest);
      const number = (wanted: string): number => systemCalls.find((row) => row.name === wanted)?.number ?? -1;
      if (name === 'epoll_ctl') callOnce(kernel, number('epoll_create1'), [0n]);
      callOnce(kernel, number(name), [...registers, 0n, 0n, 0n, 0n, 0n, 0n].slice(0, 6));
      expect(BigInt.asIntN(64, kernel.hart.x(10))).toBe(-14n);
    },
  );
});
