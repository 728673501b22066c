/**
 * What a worker remembers of pages as they are stored. Guests write a lot that changes nothing: Linux takes and drops
 * references to a page all day, and each leaves the page of its descriptor dirty and as it was.
 */
import { hash } from 'node:crypto';

/** What lies in a pack for a page: its bytes, or its difference from the image's. */
export interface StoredForm {
  readonly bytes: Uint8Array;
  readonly difference: boolean;
}

/** 100 bytes each. */
const MOST = 65_536;
/** Pages whose bytes are kept until there is time to digest them: 16 MiB. */
const FRESH = 4096;

export const digestOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'binary');

const labelled = (difference: boolean, digest: string): string => (difference ? 'd' : 'w') + digest;

/** Of one guest in memory, and of the generation that it is at. The oldest are forgotten first. */
export class KnownPages {
  private readonly digests = new Map<string, string>();
  /** Just loaded, and not digested: that would delay the guest. */
  private readonly fresh = new Map<string, StoredForm>();

  /** The page's form as it is being stored, with its digest. */
  stored(page: string, difference: boolean, digest: string): void {
    this.fresh.delete(page);
    this.digests.delete(page);
    this.digests.set(page, labelled(difference, digest));
    for (const oldest of this.digests.keys()) {
      if (this.digests.size <= MOST) return;
      this.digests.delete(oldest);
    }
  }

  /** The page was loaded in this form, whose bytes stay as they are. */
  loaded(page: string, form: StoredForm): void {
    this.digests.delete(page);
    this.fresh.delete(page);
    if (this.fresh.size < FRESH) this.fresh.set(page, form);
  }

  /** Whether the page is known to be stored in just this form. `digest` is of its bytes. */
  isStored(page: string, { bytes, difference }: StoredForm, digest: () => string): boolean {
    const fresh = this.fresh.get(page);
    if (fresh !== undefined) {
      return fresh.difference === difference && Buffer.compare(fresh.bytes, bytes) === 0;
    }
    const known = this.digests.get(page);
    return known !== undefined && known === labelled(difference, digest());
  }

  /** Digests what was loaded, and lets go of the bytes. For when nobody waits. */
  settle(): void {
    for (const [page, { bytes, difference }] of [...this.fresh])
      this.stored(page, difference, digestOf(bytes));
  }

  /** The page is something else from now on, or nothing. */
  forget(page: string): void {
    this.fresh.delete(page);
    this.digests.delete(page);
  }
}
