/** The command `hv` without its process: what it understands, and how it speaks about mistakes. */
import { Command, CommanderError } from 'commander';
import { ImageError } from '../engine/models/guest';
import { addCostCommand } from './deployed/cost';
import { addResumeCommand } from './deployed/resume';
import { StateError } from '../engine/snapshot/errors';
import { addPortCommand } from './port';
import { CorruptPackError, InputError } from '../lambdas/store/errors';
import { addRunCommand, type RunContext } from './run';
import { addExportCommand } from './state/export';
import { addForkCommand } from './state/fork';
import { addHistoryCommand } from './state/history';
import type { StateContext } from './state/host-state';
import { addImportCommand } from './state/import';
import { addReplayCommand } from './state/replay';
import { addRollbackCommand } from './state/rollback';
import { UsageError } from './usage-error';

/** Reads the arguments and does what they say. Never throws: mistakes become one line and an exit status. */
export async function main(
  args: readonly string[],
  context: RunContext & StateContext,
  version: string,
): Promise<void> {
  const { stdout, stderr } = context.host;
  const program = new Command('hv')
    .description('run and inspect guests of cdk-hypervisor')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: () => undefined, // reported below, like every other mistake
    });
  addRunCommand(program, context);
  addPortCommand(program, context);
  const write = (text: string): void => void stdout.write(text);
  const now = (): number => Number(context.clock.wallNanoseconds() / 1_000_000n);
  addCostCommand(program, write, now);
  addResumeCommand(program, write, now);
  for (const add of STATE_COMMANDS) add(program, context);
  // Subcommands copy these settings only when they are made by the program itself.
  for (const command of program.commands) command.copyInheritedSettings(program);
  if (args.length === 0) {
    program.outputHelp({ error: true });
    return context.exit(2);
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    const { status, line } = describeError(error);
    if (line !== undefined) stderr.write(`hv: ${line}\n`);
    context.exit(status);
  }
}

/** What a host's table knows of its guests' past. */
const STATE_COMMANDS = [
  addHistoryCommand,
  addRollbackCommand,
  addForkCommand,
  addExportCommand,
  addImportCommand,
  addReplayCommand,
];

/** Mistakes and facts of the user's world: one line is all there is to say. */
const EXPECTED = [UsageError, ImageError, InputError, CorruptPackError, StateError];

function describeError(error: unknown): { status: number; line?: string } {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { status: 0 }; // --help, --version
    const message = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
    return { status: 2, line: `${message}; see hv --help` };
  }
  if (error instanceof Error && EXPECTED.some((kind) => error instanceof kind))
    return { status: 2, line: oneLine(error.message) };
  // A defect of ours: whoever reports it needs the stack.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { status: 70, line: `internal error: ${text}` };
}

function oneLine(message: string): string {
  return message.replace(/\s*\n\s*/g, ' ');
}
