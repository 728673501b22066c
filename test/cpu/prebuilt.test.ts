/** What the build made is what would be generated now. */
import { generateInterpreter } from '../../engine/cpu/interpreter/generate';
import { prebuilt } from '../../engine/cpu/interpreter/prebuilt';
import { instructionsOf, selectable } from '../../engine/isa/table';

test('the prebuilt interpreter equals one generated now', () => {
  const { module, decoder } = generateInterpreter(instructionsOf(selectable));
  const built = prebuilt(selectable);
  expect(Buffer.from(built?.module ?? []).equals(Buffer.from(module))).toBe(true);
  expect(Buffer.from(built?.index ?? []).equals(Buffer.from(decoder.index))).toBe(true);
});

test('other extensions have no prebuilt interpreter', () => {
  expect(prebuilt(['zba'])).toBeUndefined();
});
