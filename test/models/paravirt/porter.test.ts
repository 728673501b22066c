/** The porter on Debian's kernel, and on images that somebody made to harm it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { ImageError } from '../../../engine/models/guest';
import { KernelSymbols } from '../../../engine/models/paravirt/porter/kallsyms';
import { portKernel } from '../../../engine/models/paravirt/porter/port';
import { rules } from '../../../engine/models/paravirt/porter/rules';
import { describeWith, images, imagesFolder } from '../../requirement';
import { type SyntheticKernel, syntheticKernel } from './synthetic-kernel';

/** Ports, and lets nothing but an ImageError pass. */
function port(image: Uint8Array): ReturnType<typeof portKernel> | ImageError {
  try {
    return portKernel('test', image);
  } catch (error) {
    if (error instanceof ImageError) return error;
    throw error;
  }
}

const copied = (image: Uint8Array, change: (bytes: Uint8Array) => void): Uint8Array => {
  const bytes = image.slice();
  change(bytes);
  return bytes;
};

describe.each<SyntheticKernel['offsets']>(['relative to their place', 'relative to a base'])(
  'a small kernel whose addresses are %s',
  (offsets) => {
    const { image, symbols } = syntheticKernel({ offsets });

    test('its symbols are read', () => {
      const table = KernelSymbols.read('test', image);
      expect(Array.from({ length: table.count }, (_, index) => table.at(index))).toEqual(symbols);
      expect(table.find(['memcpy', 'no_such_symbol', 'f7']).size).toBe(2);
      expect(table.find(['f7']).get('f7')).toEqual(symbols.find(({ name }) => name === 'f7'));
    });

    test('memcpy is replaced, what is not there is absent, what looks otherwise is refused', () => {
      const { report, patches } = portKernel('test', image);
      const by = Object.fromEntries(report.rules.map((rule) => [rule.rule, rule]));
      expect(by['memcpy']).toMatchObject({ outcome: 'replaced', symbol: 'memcpy' });
      expect(by['memset']).toMatchObject({
        outcome: 'refused',
        why: expect.stringMatching(/^\+0x0 is "c.jr ra" where/) as string,
      });
      expect(by['clear_page']).toMatchObject({ outcome: 'absent' });
      const memcpy = symbols.find(({ name }) => name === 'memcpy')!.offset;
      expect(patches.map(({ offset }) => offset)).toEqual([memcpy]);
      expect(Buffer.from(patches[0]!.bytes).toString('hex')).toBe('aa8f8b8fc5008280');
    });
  },
);

test('code that the kernel patches itself is left alone', () => {
  const { image } = syntheticKernel({ offsets: 'relative to their place', alternative: true });
  const { report, patches } = portKernel('test', image);
  expect(report.rules.find(({ rule }) => rule === 'memcpy')).toMatchObject({
    outcome: 'refused',
    why: expect.stringMatching(/the kernel itself patches the code at 0x[0-9a-f]+: an alternative/) as string,
  });
  expect(patches).toEqual([]);
});

test.each<[what: string, image: Uint8Array, message: RegExp]>([
  ['nothing', new Uint8Array(0), /no RISC-V Linux kernel/],
  [
    'a kernel of another architecture',
    new Uint8Array(4096),
    /no RISC-V Linux kernel.*give an uncompressed Image/,
  ],
  [
    'a kernel without symbols',
    syntheticKernel({ offsets: 'none' }).image,
    /token table and token index of kallsyms/,
  ],
  [
    'a kernel with names that end early',
    copied(syntheticKernel({ offsets: 'relative to a base' }).image, (bytes) =>
      bytes.fill(0xff, 0x1000, 0x1004),
    ),
    /kallsyms_names, kallsyms_markers/,
  ],
])('%s is refused, naming what was looked for', (_, image, message) => {
  const result = port(image);
  expect(result).toBeInstanceOf(ImageError);
  expect((result as ImageError).message).toMatch(message);
});

test('whatever bytes are changed or cut off, it is an ImageError or patches within the image', () => {
  const { image } = syntheticKernel({ offsets: 'relative to their place' });
  const change = fc.record({ at: fc.nat(image.length - 1), value: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), fc.option(fc.nat(image.length)), (changes, end) => {
      const bytes = image.slice(0, end ?? image.length);
      for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
      const before = bytes.slice();
      const result = port(bytes);
      expect(Buffer.from(bytes).equals(Buffer.from(before))).toBe(true);
      if (result instanceof ImageError) return;
      for (const patch of result.patches)
        expect(patch.offset + patch.bytes.length).toBeLessThanOrEqual(bytes.length);
    }),
    { numRuns: 1500 },
  );
});

test('an image of nothing but what the search looks for ends soon', () => {
  const { image } = syntheticKernel({ offsets: 'none' });
  const digits = Uint8Array.from({ length: 20 }, (_, index) => (index % 2 ? 0 : 0x30 + index / 2));
  const bytes = new Uint8Array(8 * 2 ** 20);
  for (let offset = 0; offset + digits.length < bytes.length; offset += digits.length)
    bytes.set(digits, offset);
  bytes.set(image.subarray(0, 64));
  const started = performance.now();
  expect(port(bytes)).toBeInstanceOf(ImageError);
  expect(performance.now() - started).toBeLessThan(20_000);
});

test('every rule says what it needs', () => {
  for (const rule of rules) {
    for (const { shape, replace } of rule.variants) {
      const labels = [
        ...Object.keys(shape),
        ...Object.values(shape)
          .flat()
          .flatMap((line) => /^(\w+): /.exec(line)?.[1] ?? []),
      ];
      for (const place of Object.keys(replace)) expect(labels).toContain(place);
    }
  }
});

describeWith([images('vmlinuz')], 'Debian’s kernel', () => {
  const image = new Uint8Array(readFileSync(join(imagesFolder, 'vmlinuz')));

  test('every rule applies, but the one for a function that it has not', () => {
    const { report } = portKernel('vmlinuz', image);
    expect(Object.fromEntries(report.rules.map(({ rule, outcome }) => [rule, outcome]))).toEqual({
      memcpy: 'replaced',
      memmove: 'replaced',
      memset: 'replaced',
      clear_page: 'replaced',
      copy_page: 'absent',
      'copy to and from user': 'replaced',
      __clear_user: 'replaced',
      idle: 'replaced',
      vli_mult: 'replaced',
      vli_mmod_fast: 'replaced',
      vli_mod_square_fast: 'replaced',
    });
  });

  test('with code that differs in one instruction, that rule alone is refused', () => {
    const { report } = portKernel('vmlinuz', image);
    for (const { rule, offset, outcome } of report.rules) {
      if (outcome !== 'replaced') continue;
      const [before] = [image.slice(offset! + 8, offset! + 10)];
      image.set([0x01, 0x00], offset! + 8); // c.nop
      const after = portKernel('vmlinuz', image).report.rules;
      image.set(before!, offset! + 8);
      const changed = after.filter((other, index) => other.outcome !== report.rules[index]!.outcome);
      expect(changed.map((other) => [other.rule, other.outcome])).toEqual(
        // What lies at +8 of this one is the jump past the part for other CPUs, which has no bearing.
        rule === 'clear_page' ? [] : [[rule, 'refused']],
      );
    }
  });

  test('cut off anywhere, it is refused', () => {
    for (const part of [0.1, 0.5, 0.58, 0.6, 0.61]) {
      expect(port(image.subarray(0, Math.floor(image.length * part)))).toBeInstanceOf(ImageError);
    }
  });
});
