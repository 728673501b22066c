/** Debian, translated: the same guest to the last bit as interpreted, whatever was hot when and wherever it is cut. */
import type { EngineOptions } from '../../engine/cpu/hart';
import { describeWith } from '../requirement';
import { DebianImage, debianImages, runInSlices, runUntil } from './debian';

const full = process.env['TEST_FULL'] === '1';
/** To userspace and its shell, or the first part of the kernel's way there. */
const END = full ? 1_000_000_000 : 150_000_000;

describeWith([debianImages], 'Debian, translated', () => {
  const slicesOf = (slices: number, engine?: EngineOptions, paravirt = false) => {
    const image = new DebianImage(engine);
    return runInSlices(() => (paravirt ? image.createParavirt() : image.create()), END, slices);
  };

  it.each([false, true])(
    'is bit-identical to the interpreted guest (paravirtual: %s)',
    (paravirt) => {
      const interpreted = slicesOf(1, undefined, paravirt);
      // Code that is hot early is translated early, and each slice begins with nothing translated.
      expect(slicesOf(1, { kind: 'translator', threshold: 2000 }, paravirt)).toEqual(interpreted);
      expect(slicesOf(5, { kind: 'translator', threshold: 500 }, paravirt)).toEqual(interpreted);
    },
    600_000,
  );

  it('answers at its shell', () => {
    const guest = new DebianImage({ kind: 'translator', threshold: 4000 }).create();
    runUntil(guest, '# ');
    guest.type(Buffer.from('i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo $i | sha256sum\n'));
    // echo 20000 | sha256sum, by coreutils
    const hash = '0be508172e87a2af98f344d18610bbaaa0e6bbfcef0c7804b24457f839e129c9';
    expect(runUntil(guest, '  -\r\n')).toContain(hash);
  }, 120_000);
});
