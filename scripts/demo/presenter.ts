/** What the demonstration says while it runs: lines of its own, and the guest's console between them. */

/** Queries that a terminal would answer, with text that nobody reads: not for the user's terminal. */
const TERMINAL_QUERIES = /\x1b\[[0-9;]*[nc]/g;

export class Presenter {
  private readonly out: NodeJS.WriteStream;
  private readonly quiet: boolean;
  private readonly colour: boolean;
  private atLineStart = true;

  constructor(out: NodeJS.WriteStream, options: { readonly quiet: boolean }) {
    this.out = out;
    this.quiet = options.quiet;
    this.colour =
      out.isTTY === true && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';
  }

  /** One line about what happens around the guest. */
  step(line: string): void {
    const text = `== ${line}`;
    this.write(`${this.atLineStart ? '' : '\n'}${this.colour ? `\x1b[36m${text}\x1b[0m` : text}\n`);
  }

  /** Bytes that the guest wrote, once they are committed. */
  console(bytes: Uint8Array): void {
    this.write(Buffer.from(bytes).toString('latin1').replace(TERMINAL_QUERIES, '').replace(/\r\n/g, '\n'));
  }

  private write(text: string): void {
    if (this.quiet || text === '') return;
    this.out.write(text, 'latin1');
    this.atLineStart = text.endsWith('\n');
  }
}
