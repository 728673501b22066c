import fc from 'fast-check';
import {
  ExtensionError,
  baseNames,
  chooseExtensions,
  defaultExtensions,
  extensionRows,
  profiles,
  selectable,
} from '../../engine/isa/extensions';
import { base, instructionsOf, ofModels, optional } from '../../engine/isa/table';

const names = extensionRows.map(({ name }) => name);
const choosable = [...profiles.keys(), ...selectable];

describe('the table of extensions', () => {
  test('names each once, and needs and profiles are names of it', () => {
    expect(new Set(names).size).toBe(names.length);
    for (const { needs, always } of extensionRows) {
      expect(names).toEqual(expect.arrayContaining([...needs]));
      if (always) expect(baseNames).toEqual(expect.arrayContaining([...needs]));
    }
    for (const members of profiles.values()) expect(selectable).toEqual(expect.arrayContaining([...members]));
    for (const profile of profiles.keys()) expect(names).not.toContain(profile);
  });

  test('has a row for every part of the instruction table that a guest can choose', () => {
    expect(selectable).toEqual(expect.arrayContaining([...new Set(optional.map(({ name }) => name))]));
    for (const { besides } of optional) expect(names).toEqual(expect.arrayContaining([...besides]));
    for (const { name } of ofModels) expect(names).not.toContain(name);
    for (const { name } of base.filter((each) => each.name !== 's')) expect(baseNames).toContain(name);
  });

  test('gives a hart of everything every instruction', () => {
    const all = new Set(instructionsOf(selectable));
    for (const { instructions } of [...base, ...optional])
      for (const row of instructions) expect(all.has(row)).toBe(true);
  });

  test('every extension may be had alone', () => {
    for (const name of selectable) {
      const chosen = chooseExtensions([name]);
      expect(chosen).toContain(name);
      expect(instructionsOf(chosen).length).toBeGreaterThanOrEqual(instructionsOf([]).length);
    }
  });
});

describe('a choice of extensions', () => {
  test('is complete, canonical, and never more than was asked for', () => {
    fc.assert(
      fc.property(fc.subarray(choosable), (choice) => {
        const chosen = chooseExtensions(choice);
        expect(chooseExtensions([...choice].reverse())).toEqual(chosen);
        expect(chooseExtensions(chosen)).toEqual(chosen);
        const reasons = new Set(choice.flatMap((name) => [name, ...(profiles.get(name) ?? [])]));
        for (const { name, needs } of extensionRows.filter((row) => chosen.includes(row.name))) {
          for (const each of needs) expect([...baseNames, ...chosen]).toContain(each);
          const wanted = extensionRows.some((row) => chosen.includes(row.name) && row.needs.includes(name));
          expect(reasons.has(name) || wanted).toBe(true);
        }
      }),
    );
  });

  test('of nothing is rv64gc, and the default is RVA22 with a supervisor timer', () => {
    expect(chooseExtensions([])).toEqual([]);
    expect(chooseExtensions(['rv64gc', 'i', 'zicsr'])).toEqual([]);
    expect(defaultExtensions).toEqual(expect.arrayContaining(['zba', 'zbb', 'zbs', 'sstc']));
    expect(chooseExtensions(['max'])).toEqual(selectable);
  });

  test('leaves out what has a minus sign', () => {
    expect(chooseExtensions(['rva22', '-zbb'])).toEqual(
      chooseExtensions(['rva22']).filter((name) => name !== 'zbb'),
    );
  });

  test.each([
    [['avx2'], '"avx2" is no CPU feature that the engine has; known are rv64gc, rva22, max, '],
    [['ZBA'], '"ZBA" is no CPU feature'],
    [['-constructor'], '"constructor" is no CPU feature'],
    [['zba', '-zba'], 'zba is both asked for and left out'],
    [['-f'], '-f: every CPU of the engine has f'],
    [['max', '-rva22'], '-rva22: leave out extensions by their own names'],
  ])('%j is refused', (choice, message) => {
    expect(() => chooseExtensions(choice)).toThrow(ExtensionError);
    expect(() => chooseExtensions(choice)).toThrow(message);
  });
});
