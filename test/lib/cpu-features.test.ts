/** lib may not import the engine, so its table of CPU features is held to the engine's here. */
import { baseNames, selectable } from '../../engine/isa/table';
import { checkCpuFeatures } from '../../lib/cpu-features';

test('what the engine can leave out is what the constructs let one choose', () => {
  expect(checkCpuFeatures('cpuFeatures', selectable)).toEqual(selectable);
  expect(() => checkCpuFeatures('cpuFeatures', ['v'])).toThrow(selectable[0]);
});

test('what every hart has may be named', () => {
  const extensions = baseNames.filter((name) => name === 'zicntr');
  expect(checkCpuFeatures('cpuFeatures', extensions)).toEqual([]);
});
