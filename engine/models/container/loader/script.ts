/** Programs that begin with `#!`. Linux: fs/binfmt_script.c. */
import { Errno } from '../errno';

export interface Script {
  readonly interpreter: string;
  /** All that follows it on the line, as one argument. */
  readonly argument: string | undefined;
}

/** @param head the file's first 256 bytes @throws Errno ENOEXEC for a line without interpreter */
export function parseScript(head: Uint8Array): Script | undefined {
  if (head[0] !== 0x23 || head[1] !== 0x21) return undefined;
  const text = String.fromCharCode(...head.subarray(2));
  const end = text.indexOf('\n');
  const line = (end < 0 ? text : text.slice(0, end)).replace(/\0.*$/s, '').replace(/[ \t]+$/, '');
  const match = /^[ \t]*([^ \t]+)(?:[ \t]+(.*))?$/.exec(line);
  // A line that is cut short may name another file than was meant.
  if (!match?.[1] || (end < 0 && head.length >= 256 && match[2] === undefined)) throw new Errno('ENOEXEC');
  return { interpreter: match[1], argument: match[2] };
}
