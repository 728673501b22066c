/** A process with a terminal, as far as `Terminal` looks at it. */
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { TerminalHost } from '../../cli/terminal/terminal';

class FakeStdin extends PassThrough {
  raw = false;
  readonly changes: boolean[] = [];
  constructor(readonly isTTY: boolean) {
    super();
  }
  setRawMode(raw: boolean): this {
    this.raw = raw;
    this.changes.push(raw);
    return this;
  }
}

export class FakeHost extends EventEmitter implements TerminalHost {
  readonly stdin: FakeStdin;
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  out = '';
  err = '';

  constructor(options: { isTTY: boolean }) {
    super();
    this.stdin = new FakeStdin(options.isTTY);
    this.stdout.on('data', (bytes: Buffer) => (this.out += bytes.toString('latin1')));
    this.stderr.on('data', (bytes: Buffer) => (this.err += bytes.toString('latin1')));
  }

  /** Listeners that a terminal left behind on us. */
  get listeners_(): number {
    return this.eventNames().reduce((sum, name) => sum + this.listenerCount(name), 0);
  }
}
