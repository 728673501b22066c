/** `hv port`: what the porter would change in a kernel, without running it. */
import type { Command } from 'commander';
import { type PortReport, type RuleReport, portKernel } from '../engine/models/paravirt/porter/port';
import { loadFile } from './guest-files';

export interface PortContext {
  readonly host: { readonly stdout: { write(text: string): unknown } };
  readonly exit: (status: number) => void;
}

const WIDTH = 80;
const INDENT = '    ';

const DETAILS = `
A paravirtual machine's kernel is ported as it is loaded: functions that the rules
recognise become hypercalls, the others stay as they are. The kernel's own symbol
table (kallsyms) says where they are. The file is not changed.
The exit status is 0 when the kernel can be ported, 2 when it cannot.`;

export function addPortCommand(program: Command, context: PortContext): void {
  program
    .command('port')
    .description('show what the porter changes in a kernel for a paravirtual machine')
    .argument('<kernel>', 'Linux Image of RISC-V, e.g. the vmlinuz of a Debian package')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', DETAILS)
    .action((kernel: string, flags: { readonly json?: boolean }) => {
      const { image, bytes } = loadFile('kernel', kernel);
      const { report } = portKernel(image.name, bytes);
      context.host.stdout.write(
        flags.json ? `${JSON.stringify(report, undefined, 2)}\n` : formatReport(report),
      );
      context.exit(0);
    });
}

/** The report as text, no line longer than 80 columns. */
export function formatReport({ kernel, symbols, rules }: PortReport): string {
  const replaced = rules.filter(({ outcome }) => outcome === 'replaced').length;
  const width = Math.max(...rules.map(({ rule }) => rule.length));
  const lines = rules.flatMap((rule) => [
    `${rule.rule.padEnd(width)}  ${rule.outcome.padEnd(8)}  ${place(rule)}`.trimEnd(),
    ...wrap(rule.why),
  ]);
  return [
    ...cut(`${kernel}: ${symbols} symbols, ${replaced} of ${rules.length} rules applied`),
    '',
    ...lines,
    '',
  ].join('\n');
}

function place({ offset, verified, written }: RuleReport): string {
  if (offset === undefined) return '';
  const bytes = verified === undefined ? '' : `, ${verified} bytes verified, ${written} written`;
  return `at 0x${offset.toString(16)}${bytes}`;
}

/** A name may be longer than a line. */
const cut = (text: string): string[] => text.match(new RegExp(`.{1,${WIDTH}}`, 'g')) ?? [];

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && INDENT.length + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => INDENT + each);
}
