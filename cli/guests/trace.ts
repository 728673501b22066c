/** `--trace` and its bounds: where the lines go, and which instructions they are of. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { kernelCode } from '../../engine/models/kernel-code';
import type { GuestFiles, TraceOptions } from '../../engine/models/guest';
import { UsageError } from '../usage-error';
import { type RunFlags, wholeNumber } from './flags';

/** A line is about a hundred bytes: this is what a person may still look through. */
export const DEFAULT_COUNT = 10_000;
/** Characters that are gathered before they are written. */
const BUFFER = 1 << 16;

export interface OpenTrace {
  readonly options: TraceOptions;
  /** What is left is written; the file is closed. */
  close(): void;
}

/**
 * @param toTerminal takes a line for stderr
 * @throws UsageError
 */
export function openTrace(
  flags: RunFlags,
  files: GuestFiles,
  toTerminal: (line: string) => void,
): OpenTrace | undefined {
  const { trace, traceFrom, traceCount } = flags;
  if (trace === undefined) {
    const alone = traceFrom !== undefined ? '--trace-from' : traceCount !== undefined ? '--trace-count' : '';
    if (alone) throw new UsageError(`${alone} says which instructions --trace shows; add --trace`);
    return undefined;
  }
  if (flags.engine === 'both') {
    throw new UsageError('--trace shows one engine; leave out --engine both, which guests cannot tell');
  }
  const from = traceFrom === undefined ? 0 : wholeNumber('--trace-from', traceFrom);
  const count = traceCount === undefined ? DEFAULT_COUNT : wholeNumber('--trace-count', traceCount);
  if (count === 0)
    throw new UsageError('--trace-count 0 shows nothing; give at least 1, or leave out --trace');
  const sink = trace === true ? { write: toTerminal, close: () => undefined } : openFile(trace);
  const symbols = files.kernel && kernelCode(files.kernel);
  const translated =
    flags.engine === 'translator' ? '; they are interpreted, the others may be translated' : '';
  toTerminal(`hv: tracing ${count} instructions from ${from} on${translated}`);
  const ended = (): void => {
    sink.close();
    toTerminal('hv: the trace has ended; --trace-count shows more');
  };
  return {
    options: { from, count, write: sink.write, ended, ...(symbols && { symbols }) },
    close: sink.close,
  };
}

function openFile(path: string): { write(line: string): void; close(): void } {
  let file: number | undefined;
  try {
    file = openSync(path, 'w');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`--trace ${path} cannot be written (${code ?? 'unknown error'}); give another file`);
  }
  let gathered = '';
  const flush = (): void => {
    if (file !== undefined && gathered !== '') writeSync(file, gathered);
    gathered = '';
  };
  return {
    write: (line) => {
      gathered += `${line}\n`;
      if (gathered.length > BUFFER) flush();
    },
    close: () => {
      flush();
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}
