/**
 * What every device has to keep, whatever it does: one suite that each
 * device's test calls with a way to build it.
 */
import fc from 'fast-check';
import type { AccessSize, Device, InterruptLine } from '../../engine/devices/device';
import { StateError } from '../../engine/snapshot/errors';

/** An interrupt line that remembers its level and how often it was driven. */
export class RecordingLine implements InterruptLine {
  asserted = false;
  sets = 0;
  set(asserted: boolean): void {
    this.asserted = asserted;
    this.sets++;
  }
}

export interface DeviceUnderTest {
  readonly device: Device;
  /** Length of its window in bytes. */
  readonly size: number;
  /** Offsets where something happens; others in the window are tried too. */
  readonly offsets: readonly number[];
  /** Values that mean something to the device, besides arbitrary ones. */
  readonly values?: readonly number[];
  /** Its interrupt outputs. */
  readonly lines: readonly RecordingLine[];
  /** Things that happen to it from outside: input, time, an interrupt source. */
  readonly stimuli?: readonly ((value: number) => void)[];
  /** Takes over what the device leaves to others to save (guest memory, say), as a restore of the whole machine would. */
  adopt?(other: DeviceUnderTest): void;
}

type Action =
  | { readonly do: 'read'; readonly offset: number; readonly size: AccessSize }
  | { readonly do: 'write'; readonly offset: number; readonly size: AccessSize; readonly value: number }
  | { readonly do: 'stimulus'; readonly index: number; readonly value: number };

const sizes = fc.constantFrom<AccessSize>(1, 2, 4);

function actions(sample: DeviceUnderTest): fc.Arbitrary<Action[]> {
  const offset = fc
    .oneof(
      { weight: 6, arbitrary: fc.constantFrom(...sample.offsets) },
      { weight: 1, arbitrary: fc.nat(sample.size - 1) },
    )
    .map((at) => Math.min(at, sample.size - 4));
  const value = fc.oneof(
    fc.constantFrom(0, 1, 0xff, 0xffffffff, ...(sample.values ?? [])),
    fc.nat(0xff),
    fc.integer({ min: 0, max: 0xffffffff }),
  );
  const access: fc.Arbitrary<Action>[] = [
    fc.record({ do: fc.constant('read' as const), offset, size: sizes }),
    fc.record({ do: fc.constant('write' as const), offset, size: sizes, value }),
  ];
  const stimuli = sample.stimuli?.length ?? 0;
  if (stimuli > 0) {
    access.push(
      fc.record({ do: fc.constant('stimulus' as const), index: fc.nat(stimuli - 1), value: fc.nat(0xff) }),
    );
  }
  return fc.array(fc.oneof(...access), { maxLength: 60 });
}

/** Does one thing to the device and gives what the guest sees of it. */
function perform(under: DeviceUnderTest, action: Action): number | undefined {
  if (action.do === 'read') return under.device.read(action.offset, action.size);
  if (action.do === 'write') under.device.write(action.offset, action.size, action.value);
  else under.stimuli![action.index]!(action.value);
  return undefined;
}

export function deviceContract(name: string, create: () => DeviceUnderTest): void {
  describe(`${name}: device contract`, () => {
    const traffic = actions(create());

    test('no access throws, and reads give unsigned values of the size asked for', () => {
      fc.assert(
        fc.property(traffic, (list) => {
          const under = create();
          for (const action of list) {
            const value = perform(under, action);
            if (action.do !== 'read') continue;
            expect(Number.isInteger(value) && value! >= 0 && value! < 2 ** (8 * action.size)).toBe(true);
          }
        }),
      );
    });

    test('a restored device saves the same bytes and behaves the same from then on', () => {
      fc.assert(
        fc.property(traffic, traffic, (before, after) => {
          const original = create();
          before.forEach((action) => perform(original, action));
          const saved = original.device.save();
          const restored = create();
          restored.adopt?.(original);
          restored.device.restore(saved);
          expect(restored.device.save()).toEqual(saved);
          for (const action of after) expect(perform(restored, action)).toBe(perform(original, action));
          expect(restored.device.save()).toEqual(original.device.save());
        }),
      );
    });

    test('the saved bytes do not change when the device goes on', () => {
      fc.assert(
        fc.property(traffic, traffic, (before, after) => {
          const under = create();
          before.forEach((action) => perform(under, action));
          const saved = under.device.save();
          const copy = saved.slice();
          after.forEach((action) => perform(under, action));
          expect(saved).toEqual(copy);
        }),
        { numRuns: 30 },
      );
    });

    test('restore leaves interrupt lines alone', () => {
      fc.assert(
        fc.property(traffic, (list) => {
          const original = create();
          list.forEach((action) => perform(original, action));
          const restored = create();
          const driven = restored.lines.map((line) => line.sets);
          restored.adopt?.(original);
          restored.device.restore(original.device.save());
          expect(restored.lines.map((line) => line.sets)).toEqual(driven);
        }),
        { numRuns: 30 },
      );
    });

    test('reset gives power-on bytes and lowers the lines', () => {
      const powerOn = create().device.save();
      fc.assert(
        fc.property(traffic, (list) => {
          const under = create();
          list.forEach((action) => perform(under, action));
          under.device.reset();
          expect(under.device.save()).toEqual(powerOn);
          expect(under.lines.every((line) => !line.asserted)).toBe(true);
        }),
      );
    });

    test('malformed state is a StateError and changes nothing', () => {
      const mutation = fc.record({ at: fc.nat(), value: fc.nat(0xff), length: fc.nat() });
      fc.assert(
        fc.property(traffic, mutation, traffic, (list, { at, value, length }, after) => {
          const original = create();
          list.forEach((action) => perform(original, action));
          const saved = original.device.save();
          const victim = create();
          const before = victim.device.save();
          expect(() => victim.device.restore(saved.subarray(0, length % saved.length))).toThrow(StateError);
          expect(victim.device.save()).toEqual(before);
          const mutated = saved.slice();
          mutated[at % mutated.length] = value;
          try {
            victim.device.restore(mutated);
          } catch (error) {
            expect(error).toBeInstanceOf(StateError);
            expect(victim.device.save()).toEqual(before);
          }
          // What was taken, however odd, must not break the device.
          after.forEach((action) => perform(victim, action));
          victim.device.save();
        }),
      );
    });

    test('the kind names the payload', () => {
      expect(create().device.kind).toMatch(/^[\x21-\x3f\x41-\x7e]+@\d+$/);
    });
  });
}
