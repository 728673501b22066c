/** lib may not import the engine, so its table of CPU features is held to the engine's here. */
import { baseNames, profiles, selectable } from '../../engine/isa/extensions';
import { checkCpuFeatures } from '../../lib/cpu-features';

test('what the engine lets one choose is what the constructs let one choose', () => {
  const names = [...profiles.keys(), ...selectable];
  expect(checkCpuFeatures('cpuFeatures', names)).toEqual(names);
  const refusal = /Use names of this list.*: (.*)\.$/;
  let message = '';
  try {
    checkCpuFeatures('cpuFeatures', ['avx2']);
  } catch (error) {
    message = String(error);
  }
  expect(refusal.exec(message)?.[1]?.match(/\w+(?= \()/g)).toEqual(names);
});

test('what every hart has may be named', () => {
  expect(checkCpuFeatures('cpuFeatures', baseNames)).toEqual([]);
});
