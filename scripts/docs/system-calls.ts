import { systemCalls } from '../../engine/models/container/syscalls';
import { table } from './table';

/** docs/syscalls.md: what a container's kernel has, from its own table. */
export function systemCallsDocument(): string {
  const rows = [...systemCalls]
    .sort((a, b) => a.number - b.number)
    .map(({ number, name, family, support, caveat }) => [
      String(number),
      `\`${name}\``,
      family,
      support === 'full' ? 'yes' : `partial: ${caveat ?? ''}`,
    ]);
  const partial = systemCalls.filter(({ support }) => support === 'partial').length;
  return `# System calls of a container

Made by \`npm run docs\` from \`engine/models/container/syscalls\`. ${systemCalls.length} calls of Linux on riscv64,
${partial} of them partial. A call that is not here returns \`ENOSYS\` and is counted by name in the guest's exits.

${table(['number', 'name', 'family', 'supported'], rows)}
`;
}
