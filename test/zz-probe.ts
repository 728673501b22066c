import { DebianImage, runUntil } from './guests/debian';
import { MemoryTable } from '../lambdas/store/memory';
import { TableStore } from '../lambdas/store/table-store';
import { emptyCheckpoint } from '../lambdas/store/checkpoint';
import { flush } from '../lambdas/store/flush';
import { openCheckpoint } from '../lambdas/store/opened-checkpoint';
import { PageSource } from '../lambdas/store/page-source';

async function main(): Promise<void> {
  const image = new DebianImage();
  const guest = image.create({});
  runUntil(guest, '# ');
  const store = new TableStore(new MemoryTable());
  let cp = emptyCheckpoint('g');
  const step = async (g: number) => {
    const before = { ...store.usage };
    const r = await flush(store, cp, { generation: g, fencing: g }, { spaces: guest.spaces, state: guest.save() });
    cp = r.checkpoint;
    for (const s of guest.spaces) s.clean();
    console.log('gen', g, r.stats, 'ws', cp.workingSet.complete, cp.workingSet.pages.length, 'KiB', ((store.usage.bytesWritten - before.bytesWritten) / 1024) | 0, 'packs', cp.table.size);
  };
  await step(1);
  const index = cp.spaces.get('ram')!;
  let stored = 0, image_ = 0;
  for (const seg of index.segments.values()) for (let i = 0; i < seg.pages; i++) { const k = seg.place(i).kind; if (k === 'stored') stored++; }
  for (const [, n] of index.image ?? []) image_ += n;
  console.log('stored', stored, 'image pages', image_);
  for (let g = 2; g < 8; g++) {
    let n = 0;
    if (g % 2) { guest.type(Buffer.from('x')); }
    while (n++ < 300) {
      const exit = guest.run({ instructions: 20_000_000 });
      if (exit.reason === 'idle' && exit.wakeAfter !== undefined) guest.skipIdle(exit.wakeAfter);
      else if (exit.reason === 'idle') break;
    }
    guest.takeOutput();
    const used = guest.spaces[0]!.lazy!.used().length;
    console.log('used', used, 'n', n);
    await step(g);
  }
  const def = image.definition();
  for (let i = 0; i < 4; i++) {
    const t0 = performance.now();
    const shell = image.createShell(def);
    const t1 = performance.now();
    const o = await openCheckpoint(store, 'g', { generation: 7, fencing: 7 });
    const t2 = performance.now();
    let files = 0;
    const src = new PageSource({ ...o, spaces: shell.spaces, provideFiles: async () => { files++; shell.provideFiles!(image.files); } });
    src.omitAll();
    const t3 = performance.now();
    await src.prefetch();
    const t4 = performance.now();
    shell.restore(o.state!);
    for (const s of shell.spaces) s.clean();
    const t5 = performance.now();
    shell.type(Buffer.from('y'));
    let out = '';
    for (;;) {
      const exit = shell.run({ instructions: 20_000_000 });
      out += Buffer.from(shell.takeOutput()).toString();
      if (out.includes('y')) break;
      if (exit.reason === 'page wanted') await src.bring(exit.wanted);
      else if (exit.reason === 'idle' && exit.wakeAfter !== undefined) shell.skipIdle(exit.wakeAfter);
    }
    const t6 = performance.now();
    console.log({ shell: t1 - t0, open: t2 - t1, omit: t3 - t2, prefetch: t4 - t3, restore: t5 - t4, run: t6 - t5, waits: src.waits, pages: src.pages, files, packs: src.reader.packs, out });
  }
}
void main();
