/**
 * What a Debian boot has found hot, used by another boot and by another
 * worker: found again by its content, translated before it is hot, within
 * the cap, and to no guest's knowledge.
 */
import { createHash } from 'node:crypto';
import type { EngineOptions } from '../../engine/cpu/hart';
import type { Translator } from '../../engine/cpu/translator/translator';
import { decodeProfile, placesOf } from '../../engine/cpu/translator/profile';
import type { Guest } from '../../engine/models/guest';
import { describeWith } from '../requirement';
import { DebianImage, debianImages } from './debian';

const END = 120_000_000;
const engine: EngineOptions = { kind: 'translator', threshold: 4000 };

const translatorOf = (guest: Guest): Translator =>
  (guest as unknown as { hart: { translator: Translator } }).hart.translator;

function runTo(guest: Guest, end: number, step = END): Guest {
  while (guest.instructions < end) guest.run({ instructions: Math.min(step, end - guest.instructions) });
  return guest;
}

const fingerprint = (guest: Guest): string => {
  const hash = createHash('sha256').update(guest.save());
  for (const space of guest.spaces) for (const page of space.dirty()) hash.update(space.read(page));
  return hash.digest('hex');
};

describeWith([debianImages], 'Debian with a profile', () => {
  const first = runTo(new DebianImage(engine).create(), END);
  const recorded = first.takeProfile!()!;

  it('finds what was hot again, and runs as without', () => {
    const places = [...placesOf(decodeProfile(recorded))];
    expect(places.length).toBeGreaterThan(30);
    // Hot enough for nothing by itself.
    const guest = new DebianImage({ ...engine, threshold: 65_000 }).create();
    guest.useProfile!(recorded);
    runTo(guest, END, 7_000_000);
    const { regions } = translatorOf(guest).counts;
    // As many as its share allows.
    expect(regions).toBeGreaterThan(40);
    expect(fingerprint(guest)).toBe(fingerprint(first));
    expect(guest.takeProfile!()).toBeUndefined();
  }, 120_000);

  it('stays within the cap', () => {
    const codeSize = 40_000;
    const guest = new DebianImage({ ...engine, codeSize }).create();
    guest.useProfile!(recorded);
    let most = 0;
    while (guest.instructions < END) {
      guest.run({ instructions: 2_000_000 });
      most = Math.max(most, translatorOf(guest).size);
    }
    const { flushed, bytes, modules } = translatorOf(guest).counts;
    expect(flushed).toBeGreaterThan(3);
    // It is looked at when a module comes: one may stand above it.
    expect(most).toBeLessThan(codeSize + (4 * bytes) / modules);
    expect(fingerprint(guest)).toBe(fingerprint(first));
  }, 120_000);

  it('asks nothing of the interpreter', () => {
    const guest = new DebianImage().create();
    guest.useProfile!(recorded);
    runTo(guest, 20_000_000);
    expect(translatorOf(guest).counts.regions).toBe(0);
    expect(guest.takeProfile!()).toBeUndefined();
  });
});
