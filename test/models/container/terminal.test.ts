/** The console as a terminal: what is typed and what shows, with a shell's job control behind it. */
import type { Container } from '../../../engine/models/container/container';
import { busyboxArchive, createContainer, debianArchive } from '../../guests/container';
import { describeWith, images } from '../../requirement';

/** Runs until the container waits for something that is more than two seconds away. */
function settle(guest: Container): string {
  let output = '';
  for (;;) {
    const exit = guest.run({ instructions: 100_000_000 });
    output += Buffer.from(guest.takeOutput()).toString('latin1');
    if (exit.reason === 'budget') continue;
    if (exit.reason !== 'idle' || exit.wakeAfter === undefined || exit.wakeAfter > 2_000_000_000n)
      return output;
    guest.skipIdle(exit.wakeAfter);
  }
}

describeWith([images('busybox')], 'terminal', () => {
  const start = (...command: string[]): Container => createContainer(command, { archive: busyboxArchive() });
  const type = (guest: Container, typed: string): string => {
    guest.type(Buffer.from(typed));
    return settle(guest);
  };

  test('a line can be edited until it ends; control characters show as such', () => {
    const guest = start('cat');
    settle(guest);
    expect(type(guest, 'lost\x15one twp\x7fo\x17TWO')).toBe(
      'lost\b \b\b \b\b \b\b \bone twp\b \bo\b \b\b \b\b \bTWO',
    );
    expect(type(guest, '\r')).toBe('\r\none TWO\r\n');
    expect(type(guest, 'no end\x04')).toBe('no endno end');
    expect(type(guest, '\x01\n')).toBe('^A\r\n\x01\r\n');
    type(guest, '\x04');
    expect(guest.run({ instructions: 1 })).toEqual({ reason: 'halted', how: 'power-off', code: 0 });
  });

  test('raw: bytes as they come, without echo', () => {
    const guest = start('sh', '-c', 'stty raw -echo; dd bs=1 count=3 2> /dev/null | od -c; stty size');
    settle(guest);
    expect(type(guest, '\x03\r')).toBe('');
    expect(type(guest, 'x')).toContain(' 003  \\r   x');
  });

  test('^C ends what runs in the foreground and not the shell', () => {
    const guest = start('sh', '-i');
    settle(guest);
    type(guest, 'sleep 1000\n');
    expect(type(guest, '\x03')).toContain('^C');
    expect(type(guest, 'echo still $?\n')).toContain('still 130');
    expect(type(guest, 'tty; echo $((6 * 7)) | cat\n')).toMatch(/\/dev\/console\r\n42\r\n/);
  });

  describeWith([images('debian-root.tar')], 'with dash', () => {
    test('^Z stops, bg and fg continue, jobs are told apart', () => {
      const guest = createContainer(['sh', '-i'], { archive: debianArchive() });
      settle(guest);
      type(guest, 'sleep 500 &\n');
      type(guest, 'sleep 600\n');
      expect(type(guest, '\x1a')).toContain('Stopped');
      expect(type(guest, 'jobs\n')).toMatch(/\[2\] \+ Stopped +sleep 600\r\n\[1\] - Running +sleep 500/);
      expect(type(guest, 'bg %2; jobs\n')).toMatch(/Running +sleep 600/);
      type(guest, 'fg %1\n');
      expect(type(guest, '\x03')).toContain('^C');
      expect(type(guest, 'kill %2; wait; echo none left\n')).toContain('none left');
      type(guest, 'exit 5\n');
      expect(guest.run({ instructions: 1 })).toEqual({ reason: 'halted', how: 'failure', code: 5 });
    });
  });
});
