/** What the build made is what would be generated now. */
import { generateInterpreter } from '../../engine/cpu/interpreter/generate';
import { prebuilt } from '../../engine/cpu/interpreter/prebuilt';
import { defaultExtensions, selectable } from '../../engine/isa/extensions';
import { instructionsOf } from '../../engine/isa/table';

test.each([
  ['default', defaultExtensions],
  ['complete', selectable],
])('the prebuilt interpreter of the %s hart equals one generated now', (_, extensions) => {
  const { module, decoder } = generateInterpreter(instructionsOf(extensions));
  const built = prebuilt(extensions);
  expect(Buffer.from(built?.module ?? []).equals(Buffer.from(module))).toBe(true);
  expect(Buffer.from(built?.index ?? []).equals(Buffer.from(decoder.index))).toBe(true);
});

test('other extensions have no prebuilt interpreter', () => {
  expect(prebuilt(['zba'])).toBeUndefined();
});
