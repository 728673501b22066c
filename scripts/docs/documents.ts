import { isaDocument } from './isa';
import { systemCallsDocument } from './system-calls';

/** Documents by file name. */
export const generatedDocuments = (): ReadonlyMap<string, string> =>
  new Map([
    ['isa.md', isaDocument()],
    ['syscalls.md', systemCallsDocument()],
  ]);
