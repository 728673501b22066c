// Waiting for another hart's store to a reserved place. Unprivileged ISA manual, "Zawrs".
import { type Semantics, extension, instruction } from './instruction';

const wait =
  (helper: string): Semantics =>
  (x) =>
    x.perform(helper, [x.word]);

export const zawrs = extension('zawrs', [
  instruction('wrs.nto', '000000001101 00000 000 00000 1110011', '', wait('wait_on_reservation')),
  instruction('wrs.sto', '000000011101 00000 000 00000 1110011', '', wait('wait_shortly_on_reservation')),
]);
