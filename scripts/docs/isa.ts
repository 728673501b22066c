import { base, optional } from '../../engine/isa/table';
import { proverOf } from '../../test/differential/provers';
import type { ReferenceName } from '../../test/differential/references';
import { table } from './table';

/** Who judges, as test/differential/references.ts has them. */
const judges: Readonly<Record<ReferenceName, string>> = { qemu: 'QEMU 7.2', newer: 'QEMU 11.1' };

/** docs/isa.md: every instruction that the engine executes, from its own table. */
export function isaDocument(): string {
  const extensions = [...base, ...optional];
  const rows = extensions.flatMap(({ name, instructions }) =>
    instructions.map((entry) => {
      const prover = proverOf(entry);
      const { mnemonic, syntax } = entry;
      return [`\`${mnemonic}\``, name, syntax && `\`${syntax}\``, prover ? judges[prover] : 'no reference'];
    }),
  );
  return `# Instructions

Made by \`npm run docs\` from \`engine/isa\` and the lock-step streams of \`test/differential\`. ${rows.length} rows; \`s\`
stands for the privileged instructions. Every row is the source of the interpreter that executes it.

"Proved by" is the reference whose streams execute the row in lock-step, all architectural state compared after each
instruction; \`npm test\` fails when one of its rows was not executed, \`npm run test:full\` when one was executed fewer
than 10,000 times. Encodings are judged by binutils (\`test/isa/disassembler.test.ts\`). QEMU 7.2 is Debian 12's,
QEMU 11.1 what \`npm run images -- --reference\` unpacks.

${table(['mnemonic', 'extension', 'operands', 'proved by'], rows)}
`;
}
