import { Terminal } from '../../../cli/terminal/terminal';
import { FakeHost } from '../fake-host';

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('terminal', () => {
  test('is raw while open, and given back as it was, once', () => {
    const host = new FakeHost({ isTTY: true });
    const terminal = new Terminal(host);
    expect(host.stdin.raw).toBe(true);
    terminal.close();
    terminal.close();
    expect(host.stdin.changes).toEqual([true, false]);
    expect(host.listeners_).toBe(0);
  });

  test('is given back when the process exits by another way', () => {
    const host = new FakeHost({ isTTY: true });
    new Terminal(host);
    host.emit('exit', 1);
    expect(host.stdin.raw).toBe(false);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'])(
    '%s ends the session and does not end the process first',
    async (signal) => {
      const host = new FakeHost({ isTTY: true });
      const terminal = new Terminal(host);
      const waiting = terminal.wait(undefined);
      expect(host.emit(signal)).toBe(true);
      await waiting;
      expect(terminal.ending).toEqual({ cause: 'signal', signal });
      terminal.close();
      expect(host.stdin.raw).toBe(false);
    },
  );

  test('becomes raw again when the process is continued', () => {
    const host = new FakeHost({ isTTY: true });
    const terminal = new Terminal(host);
    host.emit('SIGCONT');
    expect(host.stdin.changes).toEqual([true, true]);
    terminal.close();
    host.emit('SIGCONT');
    expect(host.stdin.raw).toBe(false);
  });

  test('sets no mode on a pipe, and its end is not the end of the session', async () => {
    const host = new FakeHost({ isTTY: false });
    const terminal = new Terminal(host);
    host.stdin.end('uname\n');
    await terminal.wait(undefined);
    await settle();
    expect(Buffer.from(terminal.takeTyped()).toString()).toBe('uname\n');
    await settle();
    expect(terminal.inputEnded).toBe(true);
    expect(terminal.ending).toBeUndefined();
    expect(host.stdin.changes).toEqual([]);
    terminal.close();
  });

  test('Ctrl-A X ends the session; Ctrl-A H tells the keys', async () => {
    const host = new FakeHost({ isTTY: true });
    const terminal = new Terminal(host);
    host.stdin.write('\x01h');
    await settle();
    expect(terminal.ending).toBeUndefined();
    host.stdin.write('l\x01');
    host.stdin.write('x');
    await settle();
    expect(terminal.ending).toEqual({ cause: 'quit' });
    expect(Buffer.from(terminal.takeTyped()).toString()).toBe('l');
    expect(host.err).toContain('Ctrl-A X');
    terminal.close();
  });

  test('a reader that goes away ends the session', async () => {
    const host = new FakeHost({ isTTY: false });
    const terminal = new Terminal(host);
    host.stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    await terminal.wait(undefined);
    expect(terminal.ending).toEqual({ cause: 'closed' });
    terminal.close();
  });

  test('a write waits for a slow reader, but not when a key comes', async () => {
    const host = new FakeHost({ isTTY: true });
    host.stdout.removeAllListeners('data');
    host.stdout.pause();
    const terminal = new Terminal(host);
    let written = false;
    const writing = terminal.write(new Uint8Array(1 << 20)).then(() => (written = true));
    await settle();
    expect(written).toBe(false);
    host.stdin.write('\x01x');
    await writing;
    expect(terminal.ending).toEqual({ cause: 'quit' });
    terminal.close();
  });

  test('waits as long as it is told', async () => {
    const host = new FakeHost({ isTTY: true });
    const terminal = new Terminal(host);
    const started = performance.now();
    await terminal.wait(30);
    expect(performance.now() - started).toBeGreaterThan(25);
    terminal.close();
  });
});
