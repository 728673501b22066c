import { DeclarationError } from '../declaration-error';
import { ImageFile } from './image-file';
import { compressed, findSignature, foreignKernels } from './signatures';

/** What the header of a RISC-V Linux kernel says (Linux Documentation/arch/riscv/boot-image-header.rst). */
export interface KernelHeader {
  /** Where the kernel wants to lie, in bytes from the start of RAM. */
  readonly textOffset: number;
  /** Bytes that the kernel takes in memory, bss included. */
  readonly imageSize: number;
}

/** byte 0x00: code0 code1 (or "MZ" when it is an EFI program too), 0x08: text_offset, 0x10: image_size, 0x18: flags,
 *  0x20: version, 0x30: "RISCV\0\0\0" (deprecated), 0x38: "RSC\x05". */
const HEADER_SIZE = 0x40;
const MAGIC2 = 0x05435352;
const FLAG_BIG_ENDIAN = 1n;
/** Enough for every signature in the tables. */
const SIGNATURE_SPAN = 0x400;
/** A kernel that claims more than this is a damaged header; RAM of a guest is below it. */
const LARGEST_IMAGE = 1n << 32n;

/**
 * Reads and checks a kernel's header.
 *
 * @throws DeclarationError for anything that is not an uncompressed little-endian RISC-V `Image`.
 */
export function readKernelHeader(file: ImageFile): KernelHeader {
  const head = file.read(0, SIGNATURE_SPAN);
  if (head.length < HEADER_SIZE || head.readUInt32LE(0x38) !== MAGIC2) {
    const signature = findSignature(head, [...compressed, ...foreignKernels]);
    throw new DeclarationError(
      file.input,
      signature === undefined
        ? 'this is no RISC-V Linux kernel (bytes 0x38 to 0x3b must be "RSC\\x05")'
        : `this is ${signature.kind}, not an uncompressed RISC-V Linux kernel`,
      signature?.fix ??
        "Use the kernel of a riscv64 distribution, e.g. vmlinuz of Debian's linux-image-riscv64",
    );
  }
  if ((head.readBigUInt64LE(0x18) & FLAG_BIG_ENDIAN) !== 0n) {
    throw new DeclarationError(
      file.input,
      'this is a big-endian RISC-V kernel, and guests are little-endian',
      'Use a little-endian kernel',
    );
  }
  const textOffset = head.readBigUInt64LE(0x08);
  const imageSize = head.readBigUInt64LE(0x10);
  if (imageSize === 0n || imageSize > LARGEST_IMAGE || textOffset > LARGEST_IMAGE) {
    throw new DeclarationError(
      file.input,
      `its header is damaged: text_offset 0x${textOffset.toString(16)}, image_size 0x${imageSize.toString(16)}`,
      'Fetch or build the kernel again',
    );
  }
  return { textOffset: Number(textOffset), imageSize: Math.max(Number(imageSize), file.size) };
}
