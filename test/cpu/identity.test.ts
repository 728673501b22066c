/** What a hart says of itself, in misa and by the fields that stick in menvcfg, is what was chosen. */
import fc from 'fast-check';
import { csrRows } from '../../engine/cpu/csr';
import { chooseExtensions, profiles, selectable } from '../../engine/isa/extensions';

const rowOf = (extensions: readonly string[], name: string) => {
  const found = csrRows(extensions).find((row) => row.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
};
const letter = (misa: bigint, name: string): boolean =>
  ((misa >> BigInt(name.charCodeAt(0) - 97)) & 1n) !== 0n;

test('misa and menvcfg follow the choice', () => {
  fc.assert(
    fc.property(fc.subarray([...profiles.keys(), ...selectable]), (choice) => {
      const chosen = chooseExtensions(choice);
      const { constant: misa } = rowOf(chosen, 'misa');
      const has = (...names: string[]): boolean => names.every((name) => chosen.includes(name));
      expect(misa >> 62n).toBe(2n);
      expect([...'abcdefghijklmnopqrstuvwxyz'].filter((each) => letter(misa, each)).join('')).toBe(
        [...'abcdefghijklmnopqrstuvwxyz']
          .filter(
            (each) => 'acdfimsu'.includes(each) || has(each) || (each === 'b' && has('zba', 'zbb', 'zbs')),
          )
          .join(''),
      );
      for (const register of ['menvcfg', 'senvcfg']) {
        const { write } = rowOf(chosen, register);
        expect((write & 0x70n) !== 0n).toBe(has('zicbom'));
        expect((write & 0x80n) !== 0n).toBe(has('zicboz'));
      }
      expect(rowOf(chosen, 'menvcfg').write >> 63n !== 0n).toBe(has('sstc'));
    }),
  );
});
