/**
 * The three models beside each other, the virtual machine as 1: boot to
 * userspace, what programs see of the kernel's clearing and copying of pages,
 * and a container's `busybox echo` from nothing. Deterministic guests in this process, in turn.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { guestFactory } from '../../../engine/models/create';
import type { Guest } from '../../../engine/models/guest';
import { DebianImage, runUntil } from '../../guests/debian';
import { median, range } from '../statistics';
import type { Figure, Workload } from '../workload';

const NAME = 'models';
const USERSPACE = 'userspace reached';
/** Idle times in a row after which the kernel's self-tests are over. */
const QUIET = 30;

/** What a piece of work took. */
interface Cost {
  readonly instructions: number;
  readonly ms: number;
}

function cost(guest: () => Guest, work: (guest: Guest) => void): Cost {
  const start = performance.now();
  const subject = guest();
  const before = subject.instructions;
  work(subject);
  return { instructions: subject.instructions - before, ms: performance.now() - start };
}

/** A shell at its prompt, with nothing left to do in the background. */
function settled(guest: Guest): Guest {
  runUntil(guest, '# ');
  for (let idle = 0; idle < QUIET;) {
    const exit = guest.run({ instructions: 50_000_000 });
    guest.takeOutput();
    if (exit.reason === 'idle' && exit.wakeAfter !== undefined) {
      guest.skipIdle(exit.wakeAfter);
      idle += 1;
    } else {
      idle = 0;
    }
  }
  return guest;
}

function command(guest: Guest, line: string): Cost {
  return cost(
    () => guest,
    () => {
      // The end mark is put together by the shell, so that the line's echo does not contain it.
      guest.type(Buffer.from(`${line} 2>/dev/null; echo en''d\n`));
      runUntil(guest, 'end');
    },
  );
}

const host = {
  now: () => 0n,
  fillRandom: () => {
    throw new Error('a deterministic guest asked for randomness');
  },
};

function echo(root: Uint8Array): Cost {
  const file = { key: 'root', name: 'busybox-root.tar', size: root.length, sha256: '' };
  const container = () =>
    guestFactory(host)(
      {
        version: 1,
        model: 'container',
        memory: 64 * 2 ** 20,
        clock: 'deterministic',
        layers: [file],
        command: ['busybox', 'echo', 'hello'],
      },
      { layers: [root] },
    );
  return cost(container, (guest) => {
    const exit = guest.run({ instructions: 1e9 });
    const output = Buffer.from(guest.takeOutput()).toString();
    if (exit.reason !== 'halted' || !output.includes('hello'))
      throw new Error(`echo said "${output}" (${exit.reason})`);
  });
}

/** Medians of the parts' ratios to the wholes measured beside them. */
function ratios(name: string, parts: readonly Cost[], wholes: readonly Cost[], target?: number): Figure[] {
  return (['instructions', 'ms'] as const).map((key) => {
    const values = parts.map((part, i) => part[key] / wholes[i]![key]);
    const what = key === 'ms' ? 'wall time' : 'instructions';
    const bound = target !== undefined && { target };
    return { name: `${name}, ${what}`, value: median(values), unit: 'x', range: range(values), ...bound };
  });
}

export const models: Workload = {
  name: NAME,
  title: 'paravirtual machine and container, the virtual machine as 1.0',
  run({ runs, images, progress }) {
    const rootPath = join(images, 'busybox-root.tar');
    if (!existsSync(rootPath)) {
      return Promise.resolve({
        workload: NAME,
        skipped: 'busybox-root.tar is missing: run `npm run images`',
      });
    }
    const root = new Uint8Array(readFileSync(rootPath));
    const image = new DebianImage();
    const boot = (create: () => Guest): Cost => cost(create, (guest) => void runUntil(guest, USERSPACE));
    const vm: Cost[] = [];
    const ported: Cost[] = [];
    const echoes: Cost[] = [];
    for (let run = 0; run < runs; run++) {
      vm.push(boot(() => image.create()));
      ported.push(boot(() => image.createParavirt()));
      echoes.push(echo(root));
      progress(
        `boot: ${vm[run]!.ms.toFixed(0)} ms, ported ${ported[run]!.ms.toFixed(0)} ms, echo ${echoes[run]!.ms.toFixed(0)} ms`,
      );
    }
    const shells = [settled(image.create()), settled(image.createParavirt())] as const;
    for (const shell of shells) command(shell, 'dd if=/dev/zero of=/tmp/pages bs=1M count=24');
    const pages = (line: string): [Cost[], Cost[]] => {
      const pairs = Array.from({ length: runs }, () => shells.map((shell) => command(shell, line)));
      return [pairs.map(([first]) => first!), pairs.map(([, second]) => second!)];
    };
    const [cleared, clearedPorted] = pages('dd if=/dev/zero of=/dev/null bs=1M count=200');
    const [copied, copiedPorted] = pages('dd if=/tmp/pages of=/dev/null bs=1M');
    return Promise.resolve({
      workload: NAME,
      runs,
      figures: [
        ...ratios('paravirtual boot', ported, vm, 0.85),
        ...ratios('paravirtual: dd reads zeros', clearedPorted, cleared),
        ...ratios('paravirtual: dd reads a file', copiedPorted, copied),
        ...ratios('container: busybox echo', echoes, vm, 0.05),
      ],
    });
  },
};
