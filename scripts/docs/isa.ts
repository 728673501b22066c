import { type Facts, factsOf, isInterpreted } from '../../engine/cpu/translator/facts';
import { canBeInline } from '../../engine/cpu/translator/float';
import { base, optional } from '../../engine/isa/table';
import { proverOf } from '../../test/differential/provers';
import type { ReferenceName } from '../../test/differential/references';
import { table } from './table';

/** Who judges, as test/differential/references.ts has them. */
const judges: Readonly<Record<ReferenceName, string>> = { qemu: 'QEMU 7.2', newer: 'QEMU 11.1' };

/** What loads, stores and atomics call when the TLB does not have the page. */
const slowPaths = new Set(['settle_load', 'settle_store', 'settle_atomic']);
const helpersOf = ({ helpers }: Facts): string[] => [...helpers].filter((name) => !slowPaths.has(name));

const interpreted = (facts: Facts): string => (helpersOf(facts).length > 0 ? 'helper' : 'inline');

function translated(facts: Facts): string {
  if (isInterpreted(facts)) return 'interpreter';
  const called = helpersOf(facts);
  if (facts.control === 'redirect') return 'helper, ends region';
  if (called.length === 0) return 'inline';
  return called.every(canBeInline) ? 'inline or helper' : 'helper';
}

/** docs/isa.md: every instruction that the engine executes, from its own table. */
export function isaDocument(): string {
  const extensions = [...base, ...optional];
  const rows = extensions.flatMap(({ name, instructions }) =>
    instructions.map((entry) => {
      const prover = proverOf(entry);
      const { mnemonic, syntax } = entry;
      const facts = factsOf(entry);
      return [
        `\`${mnemonic}\``,
        name,
        syntax && `\`${syntax}\``,
        interpreted(facts),
        translated(facts),
        prover ? judges[prover] : 'no reference',
      ];
    }),
  );
  return `# Instructions

Made by \`npm run docs\` from \`engine/isa\` and the lock-step streams of \`test/differential\`. ${rows.length} rows; \`s\`
stands for the privileged instructions. Every row is the source of both back ends. "Interpreter": whether the row's code
is all inline, but for the slow path of accesses to memory, or calls a helper. "Translator": the same, where "inline or helper"
is WebAssembly's own arithmetic when that is exact; "helper, ends region" is left by the dispatcher, and an "interpreter"'s
row is not translated: the region ends before it, and the interpreter executes it.

"Proved by" is the reference whose streams execute the row in lock-step, all architectural state compared after each
instruction (in \`test:full\` after each block, where rows are rare); \`npm test\` fails when one of its rows was not executed, \`npm run test:full\` when one was executed fewer
than 10,000 times. Encodings are judged by binutils (\`test/isa/disassembler.test.ts\`). QEMU 7.2 is Debian 12's,
QEMU 11.1 what \`npm run images -- --reference\` unpacks.

${table(['mnemonic', 'extension', 'operands', 'interpreter', 'translator', 'proved by'], rows)}
`;
}
