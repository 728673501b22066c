/** Runs the model checker: Spin writes a verifier in C for the model and some macros, the C compiler builds it, and it searches. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Macros = Readonly<Record<string, number | true>>;

export interface Search {
  /** `states`: assertions in every reachable state. `cycles`: also that nothing goes round in circles, under weak fairness. */
  readonly kind: 'states' | 'cycles';
  readonly macros: Macros;
  /** States are told apart by hashes only: more of them in less memory, and a few are missed. */
  readonly approximate?: boolean;
}

export interface Verdict {
  /** What was violated; undefined when the search was complete and found nothing. */
  readonly fault: string | undefined;
  /** Different states that were visited. */
  readonly states: number;
}

const MODEL = join(__dirname, 'slice.pml');

const KINDS: Readonly<Record<Search['kind'], { readonly compile: string[]; readonly search: string[] }>> = {
  states: { compile: ['-DSAFETY'], search: ['-noclaim'] },
  cycles: { compile: ['-DNFAIR=3'], search: ['-a', '-f'] },
};

/** @throws when the search could not be completed, with what the verifier printed. */
export function check({ kind, macros, approximate = false }: Search): Verdict {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-hypervisor-spin-'));
  const call = (program: string, args: readonly string[]): string =>
    execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    copyFileSync(MODEL, join(folder, 'slice.pml'));
    const defined = Object.entries(macros).map(
      ([name, value]) => `-D${name}${value === true ? '' : `=${value}`}`,
    );
    call('spin', ['-a', ...defined, 'slice.pml']);
    const storage = approximate ? '-DBITSTATE' : '-DCOLLAPSE';
    call('gcc', ['-O1', '-w', storage, '-DVECTORSZ=2048', ...KINDS[kind].compile, '-o', 'verifier', 'pan.c']);
    return verdictOf(call('./verifier', ['-m2000000', approximate ? '-w31' : '-w22', ...KINDS[kind].search]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function verdictOf(report: string): Verdict {
  const states = Number(/(\d+) states, stored/.exec(report)?.[1]);
  const errors = Number(/errors: (\d+)/.exec(report)?.[1]);
  const fault = /^pan:1: (.*?) \(at depth/m.exec(report)?.[1];
  const complete = !/max search depth too small|out of memory/.test(report);
  if (!Number.isFinite(states) || (errors === 0) !== (fault === undefined) || (errors === 0 && !complete))
    throw new Error(`the verifier's report is not understood:\n${report}`);
  return { fault, states };
}
