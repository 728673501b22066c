/** The extensions that there are, as a table. */
import { baseExtension } from './base';
import { dbcn } from './dbcn';
import { hsm } from './hsm';
import { ipi } from './ipi';
import { rfence } from './rfence';
import { type SbiArguments, type SbiExtension, type SbiMachine, type SbiResult, SbiError, fail } from './sbi';
import { srst } from './srst';
import { time } from './time';

export type { SbiArguments, SbiExtension, SbiMachine, SbiResult } from './sbi';
export { SbiError } from './sbi';

const services: readonly SbiExtension[] = [time, ipi, rfence, hsm, srst, dbcn];
export const sbiExtensions: readonly SbiExtension[] = [baseExtension(services), ...services];

const byId = new Map(sbiExtensions.map((extension) => [extension.id, extension]));

/** One call: extension in a7, function in a6. What is not there answers SBI_ERR_NOT_SUPPORTED. */
export function sbiCall(
  machine: SbiMachine,
  extension: bigint,
  functionId: bigint,
  args: SbiArguments,
): SbiResult {
  const functions = byId.get(extension)?.functions ?? [];
  const call = functionId < BigInt(functions.length) ? functions[Number(functionId)] : undefined;
  return call ? call(machine, args) : fail(SbiError.notSupported);
}
