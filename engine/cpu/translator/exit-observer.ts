/**
 * Why translated code was left, for whoever profiles a guest: the interpreter
 * counts every exit, and this looks at one in SAMPLE of them. Nothing of it is
 * there when nobody profiles.
 */
import { find } from '../../isa/disassembler';
import * as at from '../layout';
import { INTERPRET } from './convention';
import { placeOf } from './samples';

/** Exits of which one is looked at; a prime, so that it falls into step with no loop. */
export const SAMPLE = 61;

/** Instructions that reach memory leave when the TLB does not settle it: a miss, a device, the first store to a page. */
const MEMORY = /^(c\.)?f?(l|s)(b|h|w|d)u?(sp)?$|^(lr|sc|amo)/;

export class ExitObserver {
  /** Exits by cause; estimates, since one in SAMPLE was looked at. */
  readonly causes = new Map<string, number>();

  constructor(
    private readonly cells: DataView,
    /** Whether there is a translation of the code at a place. */
    private readonly isTranslated: (place: number) => boolean,
  ) {}

  /** All exits, and instructions executed by translated code. */
  get totals(): { readonly exits: number; readonly instructions: number } {
    return {
      exits: Number(this.cells.getBigUint64(at.TRANSLATED_EXITS, true)),
      instructions: Number(this.cells.getBigUint64(at.TRANSLATED_STEPS, true)),
    };
  }

  /** @param result of the region that was left, see convention.ts */
  note(result: number): void {
    const cause = this.causeOf(result);
    this.causes.set(cause, (this.causes.get(cause) ?? 0) + SAMPLE);
  }

  private causeOf(result: number): string {
    const { cells } = this;
    if (cells.getUint32(at.TRAPPED, true) !== 0) return 'trap, or return from one';
    if (result >= 0) return 'return to interpreted code';
    if (cells.getUint32(at.COUNTDOWN, true) === 0) return 'poll: timer, interrupt, end of the run';
    const place = placeOf(cells, cells.getBigUint64(at.PC, true));
    if (place === undefined) return 'jump to a page that the fetch TLB has not';
    if (result !== INTERPRET) {
      return this.isTranslated(place)
        ? 'page mapped elsewhere, or call too deep'
        : 'jump to interpreted code';
    }
    const mnemonic = find(cells.getUint32(place, true))?.mnemonic ?? 'illegal';
    if (MEMORY.test(mnemonic)) return 'memory access that the TLB does not settle';
    return this.isTranslated(place) ? 'end of a burst is near' : `interpreted: ${mnemonic}`;
  }
}
