/** An event into a machine and its result out of it: the port, the guest's agent, and whatever lies between. */
import type { Guest } from '../../engine/models/guest';
import { describeWith } from '../requirement';
import { DebianImage, MemoryCheckpoint, debianImages, runUntil } from './debian';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Runs until there are `count` results. @throws Error with what the console showed instead. */
function results(guest: Guest, count: number, limit = 2e9): string[] {
  const found: string[] = [];
  let output = '';
  const end = guest.instructions + limit;
  while (found.length < count) {
    const exit = guest.run({ instructions: 5_000_000 });
    output += Buffer.from(guest.takeOutput()).toString('latin1');
    found.push(...guest.takeResults().map((result) => new TextDecoder().decode(result)));
    if (exit.reason === 'idle' && exit.wakeAfter !== undefined) guest.skipIdle(exit.wakeAfter);
    if (exit.reason === 'halted' || exit.reason === 'fault' || guest.instructions > end)
      throw new Error(`${found.length} of ${count} results (${exit.reason}):\n${output.slice(-2000)}`);
  }
  return found;
}

describeWith([debianImages], 'events to Debian in the virtual machine', () => {
  const commandLine = 'console=ttyS0 quiet hv.run=agent';
  let image: DebianImage;
  beforeAll(() => {
    image = new DebianImage();
  });

  it('are answered in order, also those that came before the guest was up, and from a checkpoint', () => {
    const early = image.create({ commandLine });
    early.deliver(bytes('{"text":"before boot"}'));
    // A line break would be two events: it becomes a blank.
    early.deliver(bytes('{"n":1,\n"text":"Straße \\"\\n\\" \\u00e9"}'));
    expect(results(early, 2)).toEqual(['{"text":"BEFORE BOOT"}', '{"text":"STRAßE \\"\\n\\" \\u00E9"}']);

    early.deliver(bytes('"plain"'));
    early.deliver(bytes('[1]'));
    const checkpoint = new MemoryCheckpoint();
    checkpoint.take(early);
    const resumed = image.create({ commandLine });
    checkpoint.apply(resumed);
    for (const guest of [early, resumed]) {
      expect(results(guest, 2)).toEqual(['{"text":"PLAIN"}', '{"error":"the event has no text"}']);
    }
    expect(resumed.save()).toEqual(early.save());
  }, 120_000);

  it('wait in a guest that reads none', () => {
    const guest = image.create({ commandLine: 'console=ttyS0 quiet hv.run=poweroff' });
    guest.deliver(bytes('1'));
    runUntil(guest, 'Power down');
    expect(guest.takeResults()).toEqual([]);
  }, 120_000);
});
