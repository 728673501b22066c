import type { SteppableHart } from './lockstep';
import { differencesBetween, Follower, type Difference } from './lockstep';
import { fields, indexOf } from './architectural-state';
import { codeBase } from './layout';
import { QemuTrace } from './qemu';
import { standard, type Target } from './target';

export interface TraceOptions {
  /** Instructions to compare at most. */
  readonly instructions: number;
  readonly memoryMebibytes: number;
  readonly target?: Target;
  /** Further options of QEMU: `-kernel`, `-append`, devices. The hart must be given the same by its maker. */
  readonly options?: readonly string[];
  /** Fields that are not compared, e.g. `x11` when the two device trees lie at different addresses. */
  readonly ignore?: readonly string[];
  /** Start comparing at this pc instead of the image's first instruction. */
  readonly from?: bigint;
  /** States of QEMU kept for the report. */
  readonly history?: number;
}

export interface TraceResult {
  /** Instructions compared without a difference. */
  readonly compared: number;
  readonly differences: readonly Difference[];
  /** pc and privilege of the last instructions on QEMU's side, the one that differs last. */
  readonly history: readonly { readonly pc: bigint; readonly privilege: number }[];
  /** QEMU's state before the instruction that differs. */
  readonly before: ReadonlyMap<string, bigint>;
}

/**
 * Runs any bare-metal image (raw bytes for 0x80000000, as firmware) on QEMU
 * and on a hart to the first difference. Time makes the two drift apart in the
 * end: an image that reads it, or takes timer interrupts, can be compared only
 * up to there.
 *
 * `hart` stands at 0x80000000 with the image loaded. The state that QEMU's boot
 * ROM leaves (a0 hart id, a1 device tree, a2 firmware information, t0) must be
 * in `ignore` or set by the hart's maker.
 */
export async function traceToFirstDifference(
  image: Uint8Array,
  hart: SteppableHart,
  {
    instructions,
    memoryMebibytes,
    target = standard,
    options = [],
    ignore = [],
    from = codeBase,
    history: kept = 32,
  }: TraceOptions,
): Promise<TraceResult> {
  return QemuTrace.use(image, { memoryMebibytes, target, options, timeoutSeconds: 3600 }, (trace) => {
    const history: { pc: bigint; privilege: number }[] = [];
    const before = new BigUint64Array(fields.length);
    const ignored = new Set(ignore);
    const [pcField, privilegeField] = [indexOf('pc'), indexOf('privilege')];
    let compared = 0;
    let differences: Difference[] = [];
    let begun = false;
    const follower = new Follower(hart);
    for (const { values } of trace.records()) {
      if (!begun) {
        if (values[pcField] !== from) continue;
        begun = true;
        for (let step = 0; hart.pc() !== from && step < instructions; step += 1) hart.step();
      } else {
        if (!follower.advance(values)) continue;
      }
      differences = differencesBetween(values, hart, target).filter(({ field }) => !ignored.has(field));
      if (differences.length > 0) break;
      before.set(values);
      history.push({ pc: values[pcField] ?? 0n, privilege: Number(values[privilegeField] ?? 0n) });
      if (history.length > kept) history.shift();
      if (compared >= instructions) break;
      compared += 1;
    }
    return {
      compared,
      differences,
      history,
      before: new Map(fields.map(({ name }, index) => [name, before[index] ?? 0n])),
    };
  });
}

/** For a terminal. */
export function formatTrace(result: TraceResult): string {
  const hexadecimal = (value: bigint): string => value.toString(16).padStart(16, '0');
  return [
    `${result.compared} instructions alike${result.differences.length > 0 ? ', then:' : ''}`,
    ...result.differences.map(
      ({ field, expected, found }) =>
        `  ${field}: QEMU ${hexadecimal(expected)}, found ${hexadecimal(found)}`,
    ),
    'the way there:',
    ...result.history.map(({ pc, privilege }) => `  ${'US?M'[privilege]} ${hexadecimal(pc)}`),
  ].join('\n');
}
