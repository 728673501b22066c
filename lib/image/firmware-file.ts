import { DeclarationError } from '../declaration-error';
import { checkElf, isElf } from './elf';
import { ImageFile } from './image-file';
import { compressed, findSignature, foreignKernels } from './signatures';

/** Firmware as the machine loads it. */
export interface Firmware {
  readonly file: ImageFile;
  /** Bytes of RAM from its start that the firmware takes as it is loaded. */
  readonly end: number;
}

/** @throws DeclarationError for a missing file, and for one that is neither RISC-V ELF nor a raw binary. */
export function openFirmware(path: string): Firmware {
  const file = new ImageFile('firmware', path);
  const head = file.read(0, 0x400);
  if (isElf(head)) return { file, end: checkElf(file) };
  const signature = findSignature(head, [...compressed, ...foreignKernels]);
  if (signature !== undefined) {
    throw new DeclarationError(
      file.input,
      `this is ${signature.kind}, and firmware is a RISC-V ELF file or a raw binary`,
      signature.fix,
    );
  }
  return { file, end: file.size };
}
