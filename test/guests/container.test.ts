/** Unmodified riscv64 programs in a container: what they write is what they write on Linux. */
import { describeWith, images } from '../requirement';
import {
  busyboxArchive,
  createContainer,
  debianArchive,
  fingerprint,
  runContainer,
  runInSlices,
  text,
} from './container';
import { QemuUser, qemuUser } from './qemu-user';
import { guestScripts } from './scripts';

describeWith([images('busybox')], 'busybox in a container', () => {
  const archive = busyboxArchive();
  const shell = (script: string, definition = {}) =>
    createContainer(['/bin/sh', '-c', script], { archive, definition });

  it('says hello, for less than a thousandth of what a boot takes', () => {
    const guest = createContainer(['/bin/busybox', 'echo', 'hello'], { archive });
    const { output, exit } = runContainer(guest);
    expect(output).toBe('hello\r\n');
    expect(exit).toEqual({ reason: 'halted', how: 'power-off', code: 0 });
    expect(guest.instructions).toBeLessThan(720_000);
  });

  it('ends as its first process does', () => {
    expect(runContainer(shell('exit 3')).exit).toEqual({ reason: 'halted', how: 'failure', code: 3 });
    const killed = runContainer(shell('sh -c "kill -9 \\$\\$"; exit $?'));
    expect(killed.exit).toEqual({ reason: 'halted', how: 'failure', code: 137 });
  });

  it('is bit-identical after the same instructions in 1, 7 and 50 slices, with data in pipes', () => {
    const script = `seq 1 2000 | awk '{ print $1 * $1 }' | sort -n | tail -2; (sleep 0.3; echo late) &
      yes | head -20000 | md5sum; echo text > /tmp/f; wait; cat /tmp/f; head -c 8 /dev/urandom | od -x; date +%s`;
    const whole = shell(script);
    const { output } = runContainer(whole);
    expect(output).toContain('late');
    const end = whole.instructions - 1000;
    const once = runInSlices(() => shell(script), end, 1);
    expect(once.output).toContain('text');
    expect(runInSlices(() => shell(script), end, 7)).toEqual(once);
    expect(runInSlices(() => shell(script), end, 50)).toEqual(once);
  }, 60_000);

  it('two at once in one process see nothing of each other', () => {
    const quiet =
      'echo mine > /tmp/f; for i in 1 2 3 4 5; do cat /tmp/f; ps | wc -l; ls /tmp; hostname; done';
    const loud = 'hostname loud; while :; do echo theirs > /tmp/f; (echo > /tmp/g$$) & done';
    const alone = runContainer(shell(quiet)).output;
    const [one, other] = [shell(quiet), shell(loud, { pids: 40 })];
    let output = '';
    for (let slice = 0; slice < 2000; slice++) {
      other.run({ instructions: 20_000 });
      const exit = one.run({ instructions: 20_000 });
      output += Buffer.from(one.takeOutput()).toString('latin1');
      if (exit.reason === 'halted') break;
    }
    expect(output).toBe(alone);
  });

  describeWith([qemuUser], 'writes what it writes under qemu-riscv64', () => {
    let qemu: QemuUser;
    beforeAll(() => (qemu = new QemuUser()));
    afterAll(() => qemu.remove());

    it.each(Object.entries(guestScripts))(
      '%s',
      (_name, script) => {
        const expected = qemu.run(script);
        const guest = shell(`exec 2>/dev/null; mkdir /tmp/work; cd /tmp/work; ${script}`);
        const outcome = runContainer(guest);
        expect(text(outcome)).toBe(expected.output);
        expect(outcome.exit).toMatchObject({ reason: 'halted', code: expected.code });
      },
      60_000,
    );
  });
});

describeWith(
  [images('debian-root.tar', 'busybox')],
  'dash and coreutils with their libc in a container',
  () => {
    const archive = debianArchive();

    it('pipe, sort, hash, link and list', () => {
      const script = `seq 1 2000 | sort -rn | head -2; printf '%s\\n' b a b | sort | uniq -c; expr 6 '*' 7
      mkdir /tmp/d; cp /usr/bin/dash /tmp/d/copy; chmod 700 /tmp/d/copy; stat -c '%a %s' /tmp/d/copy | wc -w
      head -c 100000 /dev/zero | sha256sum; /tmp/d/copy -c 'echo $0'; factor 1234567890123; tac /etc/missing; echo $?`;
      const { output, exit } = runContainer(createContainer(['sh', '-c', script], { archive }));
      expect(output.replaceAll('\r\n', '\n')).toBe(
        [
          '2000',
          '1999',
          '      1 a',
          '      2 b',
          '42',
          '2',
          '9192c25b734fcbadbe32dadc28089c60db0e39f90cc20ce2e5733f57261acc0c  -',
          '/tmp/d/copy',
          '1234567890123: 3 3541 116216501',
          "tac: failed to open '/etc/missing' for reading: No such file or directory",
          '1',
          '',
        ].join('\n'),
      );
      expect(exit).toMatchObject({ reason: 'halted', code: 0 });
    });

    it('of another distribution runs beside busybox, each under its own kernel state', () => {
      const script = 'echo $0; ls /usr/bin | wc -l; cat /proc/sys/kernel/hostname';
      const debian = createContainer(['sh', '-c', script], { archive, definition: { hostname: 'debian' } });
      const small = createContainer(['sh', '-c', 'ls /usr | wc -l; hostname'], {
        archive: busyboxArchive(),
        definition: { hostname: 'small' },
      });
      const outputs = ['', ''];
      for (let slice = 0; slice < 5000; slice++) {
        const exits = [debian, small].map((guest, i) => {
          const exit = guest.run({ instructions: 10_000 });
          outputs[i] += Buffer.from(guest.takeOutput()).toString('latin1');
          return exit.reason;
        });
        if (exits.every((reason) => reason === 'halted')) break;
      }
      expect(outputs).toEqual(['sh\r\n106\r\ndebian\r\n', '0\r\nsmall\r\n']);
      expect(fingerprint(debian)).not.toBe(fingerprint(small));
    });
  },
);
