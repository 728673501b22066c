import { base, optional } from '../../engine/isa/table';
import { table } from './table';

/** docs/isa.md: every instruction that the engine executes, from its own table. */
export function isaDocument(): string {
  const extensions = [...base, ...optional];
  const rows = extensions.flatMap(({ name, instructions }) =>
    instructions.map(({ mnemonic, syntax }) => [`\`${mnemonic}\``, name, syntax && `\`${syntax}\``]),
  );
  return `# Instructions

Made by \`npm run docs\` from \`engine/isa\`. ${rows.length} instructions; \`s\` stands for the privileged ones. Every one
of them is executed in lock-step with QEMU (\`test/differential\`), and its encoding is judged by binutils
(\`test/isa/disassembler.test.ts\`).

${table(['mnemonic', 'extension', 'operands'], rows)}
`;
}
