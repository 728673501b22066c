import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  codeBase,
  controlPage,
  patternBase,
  region,
  regionOf,
  requests,
  startWords,
  vectorWords,
} from './layout';
import { pageTables, satpOf } from './page-tables';
import { dataPointer, type Program } from './program';
import { runtimeOf } from './runtime';
import { marchOf } from './references';
import type { Target } from './target';

/** A batch of programs, assembled. */
export interface Image {
  readonly programs: readonly Program[];
  readonly target: Target;
  /** Bytes from `codeBase` on. */
  readonly bytes: Uint8Array;
  /** By program: where its body begins, and the address of the `ecall` behind it. */
  readonly bodies: readonly { readonly start: bigint; readonly end: bigint }[];
  /** Address to instruction, as objdump writes it without aliases. */
  readonly disassembly: ReadonlyMap<bigint, string>;
}

/** `jr s11`, twice. */
const returnToS11 = 0x8d828d82;
const dataPointerRegister = 26;

function bodyOf(program: Program, index: number): string[] {
  return [
    // `.option rvc` would not bring back what needs C: Zcb, Zcmop.
    program.profile.compressed ? `.option arch, ${marchOf(program.target.extensions)}` : '.option norvc',
    '.align 2',
    `body_${index}:`,
    ...program.groups.flatMap((group) => group.map((line) => (line.endsWith(':') ? line : `  ${line}`))),
    '.option norvc',
    `  li s8, ${requests.end}`,
    // The end begins a block of QEMU's.
    `  j end_${index}`,
    `end_${index}:`,
    '  ecall',
  ];
}

/** The programs' assembly, in the form in which failures are printed. */
export const assemblyOf = (program: Program): string => bodyOf(program, 0).join('\n');

/**
 * @param programs at least one, all of one target
 * @throws Error with the assembler's messages
 */
export function buildImage(programs: readonly Program[]): Image {
  const target = programs[0]?.target;
  if (target === undefined || programs.some((program) => program.target !== target))
    throw new Error('an image takes programs of one target');
  const { reference, extensions } = target;
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-'));
  const path = (name: string): string => join(directory, name);
  try {
    writeFileSync(path('batch.s'), [...runtimeOf(target), ...programs.flatMap(bodyOf), ''].join('\n'));
    const run = (tool: string, ...options: string[]): string =>
      execFileSync(tool, options, { encoding: 'utf8', maxBuffer: 1 << 28, cwd: directory });
    run(reference.assembler, `-march=${marchOf(extensions)}`, 'batch.s', '-o', 'batch.o');
    run(
      reference.linker,
      '--no-relax',
      '-e',
      'entry',
      `-Ttext=0x${codeBase.toString(16)}`,
      'batch.o',
      '-o',
      'batch.elf',
    );
    run(reference.objcopy, '-O', 'binary', '-j', '.text', 'batch.elf', 'batch.bin');
    const listing = run(reference.objdump, '-d', '-M', 'no-aliases,numeric', 'batch.elf');
    const { disassembly, symbols } = readListing(listing);
    const symbol = (name: string): bigint => {
      const address = symbols.get(name);
      if (address === undefined) throw new Error(`the listing has no symbol ${name}`);
      return address;
    };
    const bodies = programs.map((_, index) => ({
      start: symbol(`body_${index}`),
      end: symbol(`end_${index}`),
    }));
    const code = readFileSync(path('batch.bin'));
    return { programs, target, bytes: compose(code, programs, bodies), bodies, disassembly };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function readListing(listing: string): { disassembly: Map<bigint, string>; symbols: Map<string, bigint> } {
  const disassembly = new Map<bigint, string>();
  const symbols = new Map<string, bigint>();
  for (const line of listing.split('\n')) {
    const instruction = /^ *([0-9a-f]+):\t[0-9a-f ]+\t(.*)$/.exec(line);
    if (instruction?.[1] !== undefined && instruction[2] !== undefined) {
      disassembly.set(BigInt(`0x${instruction[1]}`), instruction[2].replace(/\t/g, ' '));
      continue;
    }
    const label = /^([0-9a-f]+) <(.*)>:$/.exec(line);
    if (label?.[1] !== undefined && label[2] !== undefined) symbols.set(label[2], BigInt(`0x${label[1]}`));
  }
  return { disassembly, symbols };
}

function compose(
  code: Uint8Array,
  programs: readonly Program[],
  bodies: readonly { readonly start: bigint }[],
): Uint8Array {
  const size = Number(regionOf(programs.length) - codeBase);
  if (code.length > Number(patternBase - codeBase))
    throw new Error('the batch is too long: use fewer programs an image');
  const bytes = new Uint8Array(size);
  bytes.set(code);
  const view = new DataView(bytes.buffer);
  const put = (address: bigint, value: bigint): void =>
    view.setBigUint64(Number(address - codeBase), BigInt.asUintN(64, value), true);
  for (let address = patternBase; address < controlPage; address += 8n)
    put(address, address * 0x9e3779b97f4a7c15n);
  put(controlPage + 8n, BigInt(programs.length));
  programs.forEach((program, index) => {
    const base = regionOf(index);
    program.registers.forEach((value, word) => put(base + BigInt(word * 8), value));
    put(base + BigInt(dataPointerRegister * 8), dataPointer(index));
    const { profile } = program;
    const start: Record<keyof typeof startWords, bigint> = {
      mstatus: profile.mstatus | (BigInt(profile.mode) << 11n),
      medeleg: profile.medeleg,
      mideleg: profile.mideleg,
      satp: profile.paging ? satpOf(base, profile.paging) : 0n,
      mepc: bodies[index]?.start ?? 0n,
    };
    for (const [name, word] of Object.entries(startWords))
      put(base + BigInt(word * 8), start[name as keyof typeof startWords]);
    program.vectors.forEach((value, word) => put(base + BigInt((vectorWords + word) * 8), value));
    program.data.forEach((value, word) => put(base + region.dataStart + BigInt(word * 8), value));
    if (!profile.paging) return;
    for (const [offset, value] of pageTables(base, program, profile.paging)) put(base + offset, value);
    for (let offset = 0n; offset < 0x1000n; offset += 4n) {
      view.setUint32(Number(base + region.executableFrame + offset - codeBase), returnToS11, true);
    }
    for (let offset = region.frames; offset < region.root48; offset += 8n)
      put(base + offset, (base + offset) * 0x2545f4914f6cdd1dn);
  });
  return bytes;
}

/** What to load at the control page, so that a hart that starts anew begins with another program. */
export const selectorBytes = (index: number): Uint8Array => new Uint8Array(new Uint32Array([index]).buffer);
