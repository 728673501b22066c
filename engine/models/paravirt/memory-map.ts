/**
 * The paravirtual machine's devices: a virtio console, entropy and disks on
 * PCI, and what Linux cannot do without.
 *
 * Two rows are no virtio. The wall clock is goldfish-rtc, a device that was
 * made for virtual machines and exists in no hardware; Linux has no other clock
 * driver built in that needs none. Its driver refuses to start without a wired
 * interrupt, and so the interrupt controller is a PLIC with one S-mode context
 * per hart: an IMSIC takes messages only and would want an APLIC beside it,
 * which is one more imitated device instead of one less.
 */
import type { BoardRow } from '../machine/board';
import { interruptController, pciHost, realTimeClock } from '../machine/memory-map';

export const PARAVIRT: readonly BoardRow[] = [
  realTimeClock,
  interruptController('supervisor'),
  pciHost({ disksElsewhere: 0, terminal: true }),
];
