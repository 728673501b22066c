/** Limits of a container, and images that are none: the errno or the refusal that belongs to each. */
import fc from 'fast-check';
import { ImageError } from '../../../engine/models/guest';
import { writeTar } from '../../../scripts/images/tar';
import { busyboxArchive, createContainer, runContainer, text } from '../../guests/container';
import { describeWith, images } from '../../requirement';

describeWith([images('busybox')], 'limits', () => {
  const archive = busyboxArchive();
  const shell = (script: string, definition = {}) =>
    createContainer(['/bin/sh', '-c', script], { archive, definition });

  test('a fork bomb meets the limit on tasks, and what was there goes on', () => {
    const script = 'i=0; while [ $i -lt 30 ]; do sleep 100 & i=$((i + 1)); done; echo not reached';
    const outcome = runContainer(shell(`(${script}); echo $?; ls / | wc -l`, { pids: 12 }));
    expect(text(outcome)).toContain("can't fork: Resource temporarily unavailable");
    expect(text(outcome)).not.toContain('not reached');
    const guest = shell('f() { f | f & }; f; sleep 1; echo alive', { pids: 20 });
    expect(guest.run({ instructions: 50_000_000 }).reason).toMatch(/budget|idle|halted/);
  });

  test('memory past the limit: who asks for it is killed, the rest goes on', () => {
    const hog = 'awk \'BEGIN { x = "0123456789abcdef"; while (1) x = x x }\'';
    const guest = shell(`${hog}; echo $?; echo next | cat; free | awk '/Mem/ { print ($3 < 4000) }'`, {
      memory: 8 * 2 ** 20,
    });
    expect(text(runContainer(guest)).replace(/^(Killed|awk: .*)\n/, '')).toMatch(/^(137|1)\nnext\n1\n$/);
  });

  test('a file past the largest size: EFBIG', () => {
    const outcome = runContainer(
      shell('dd if=/dev/zero of=/tmp/f bs=1M seek=8388607 count=2 2>&1 | grep -o "too large"'),
    );
    expect(text(outcome)).toContain('too large');
  });

  test('files that are no programs: the errno of execve', () => {
    const junk = (content: number[] | Uint8Array) =>
      ({ content: Uint8Array.from(content), mode: 0o755 }) as const;
    const elf = archive.slice(0);
    const start = elf.findIndex((byte, i) => byte === 0x7f && elf[i + 1] === 0x45 && elf[i + 2] === 0x4c);
    const busybox = elf.slice(start, start + 1_628_040);
    const changed = (at: number, ...bytes: number[]): Uint8Array => {
      const copy = busybox.slice();
      copy.set(bytes, at);
      return copy;
    };
    const programs = {
      'x/short': junk(busybox.slice(0, 40)),
      'x/cut': junk(busybox.slice(0, 100)),
      'x/machine': junk(changed(18, 62)),
      'x/headers': junk(changed(32, 255, 255, 255, 255, 255, 255, 255, 127)),
      'x/count': junk(changed(56, 255, 255)),
      'x/entry': junk(changed(24, 255, 255, 255, 255, 255, 255, 255, 255)),
      'x/loop': junk(new TextEncoder().encode('#!/x/loop\n')),
      'x/nowhere': junk(new TextEncoder().encode('#!/x/missing\n')),
      'x/script': junk(new TextEncoder().encode('#!/bin/sh -e\necho script $0 $1\n')),
    };
    const layer = writeTar(
      Object.entries(programs).map(([path, file]) => ({ kind: 'file', path, ...file }) as const),
    );
    const script = 'for f in *; do (exec ./$f arg); echo $f $?; done';
    const log: string[] = [];
    const guest = createContainer(['/bin/sh', '-c', script], {
      archive,
      more: [layer],
      definition: { workingDirectory: '/x' },
      trace: (line) => void log.push(line),
    });
    const lines = text(runContainer(guest)).split('\n');
    const result = (name: string): string | undefined =>
      log.find((line) => line.includes(`execve("./${name}"`))?.replace(/^.* = /, '');
    for (const name of ['short', 'cut', 'machine', 'headers', 'count']) {
      expect([name, result(name)]).toEqual([name, '-1 ENOEXEC']);
    }
    expect(result('loop')).toBe('-1 ELOOP');
    expect(result('nowhere')).toBe('-1 ENOENT');
    expect(lines).toContain('script ./script arg');
    expect(lines).toContain('entry 139');
  });

  test('a program damaged anywhere in its headers: an errno or a signal, never a thrown error', () => {
    const start = archive.findIndex(
      (byte, i) => byte === 0x7f && archive[i + 1] === 0x45 && archive[i + 2] === 0x4c,
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(0x240), fc.oneof(fc.constantFrom(0, 255, 128, 1), fc.nat(255))), {
          minLength: 1,
          maxLength: 6,
        }),
        (changes) => {
          const damaged = archive.slice();
          for (const [at, byte] of changes) damaged[start + at] = byte;
          try {
            createContainer(['/bin/echo', 'x'], {
              archive: damaged,
              definition: { memory: 4 * 2 ** 20 },
            }).run({
              instructions: 300_000,
            });
          } catch (error) {
            expect(error).toBeInstanceOf(ImageError);
          }
        },
      ),
      { numRuns: process.env['TEST_FULL'] === '1' ? 2000 : 60 },
    );
  });

  test('a first process that cannot start: a refusal that names it', () => {
    expect(() => createContainer(['/bin/nothing'], { archive })).toThrow(ImageError);
    expect(() => createContainer(['nothing'], { archive })).toThrow(
      /cannot start "nothing".*ENOENT.*name a riscv64 program/,
    );
    expect(() => createContainer(['/etc'], { archive })).toThrow(/EACCES/);
    expect(() => createContainer(['sh'], { archive, definition: { memory: 5_000_000 } })).toThrow(
      /multiple of 1 MiB/,
    );
  });

  test('events go to a program each, one after another, and what it writes is the result', () => {
    const definition = { onEvent: ['tr', 'a-z', 'A-Z'] };
    const guest = createContainer(['sleep', '1000'], { archive, definition });
    guest.deliver(Buffer.from('first\n'));
    guest.deliver(new Uint8Array(100_000).fill(0x62));
    guest.deliver(new Uint8Array());
    const results: string[] = [];
    for (let i = 0; i < 400 && results.length < 3; i++) {
      guest.run({ instructions: 50_000 });
      results.push(...guest.takeResults().map((result) => Buffer.from(result).toString('latin1')));
    }
    expect(results).toEqual(['FIRST\n', 'B'.repeat(100_000), '']);
    expect(guest.run({ instructions: 1e6 }).reason).toBe('idle');
    expect(() => createContainer(['sleep', '1'], { archive }).deliver(new Uint8Array())).toThrow(/onEvent/);
  });

  test('an event in the middle of its work survives a move', () => {
    const definition = { onEvent: ['sh', '-c', 'cat; sleep 0.01; echo end'] };
    const make = () => createContainer(['sleep', '1000'], { archive, definition });
    const guest = make();
    guest.deliver(Buffer.from('moved '));
    guest.run({ instructions: 400_000 });
    expect(guest.takeResults()).toEqual([]);
    const copy = make();
    for (const [i, space] of guest.spaces.entries()) {
      for (const page of space.dirty()) copy.spaces[i]?.load(page, space.read(page).slice());
    }
    copy.restore(guest.save());
    const results: string[] = [];
    for (let i = 0; i < 100 && results.length === 0; i++) {
      const exit = copy.run({ instructions: 1e6 });
      if (exit.reason === 'idle' && exit.wakeAfter !== undefined)
        copy.skipIdle(exit.wakeAfter < 20_000_000n ? exit.wakeAfter : 0n);
      results.push(...copy.takeResults().map((result) => Buffer.from(result).toString('latin1')));
    }
    expect(results).toEqual(['moved end\n']);
  });

  test('with a real clock, time passes as the caller says', () => {
    let now = 1_800_000_000_000_000_000n;
    const host = { now: () => now, fillRandom: (bytes: Uint8Array) => void bytes.fill(7) };
    const guest = createContainer(['sh', '-c', 'date +%s; sleep 3; date +%s'], {
      archive,
      host,
      definition: { clock: 'real' },
    });
    const exit = guest.run({ instructions: 1e9 });
    expect(exit).toEqual({ reason: 'idle', wakeAfter: 3_000_000_000n });
    now += 2_900_000_000n;
    expect(guest.run({ instructions: 1e9 }).reason).toBe('idle');
    now += 200_000_000n;
    expect(guest.run({ instructions: 1e9 }).reason).toBe('halted');
    expect(Buffer.from(guest.takeOutput()).toString()).toBe('1800000000\r\n1800000003\r\n');
  });

  test('what is not there is ENOSYS and counted by name', () => {
    const lines: string[] = [];
    const guest = createContainer(['echo'], { archive, trace: (line) => void lines.push(line) });
    runContainer(guest);
    expect(guest.exits['missing-rseq']).toBe(1);
    expect(lines).toContain('[1] rseq(...) = -1 ENOSYS');
    expect(lines.some((line) => /^\[1\] write\(1, 0x[0-9a-f]+, 1\) = 1$/.test(line))).toBe(true);
  });
});
