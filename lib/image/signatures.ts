/** What a file is by its magic bytes, where that is not what a guest can boot. */
export interface Signature {
  readonly offset: number;
  readonly magic: readonly number[];
  /** Completes "this is ...". */
  readonly kind: string;
  readonly fix: string;
}

const text = (characters: string): number[] => [...Buffer.from(characters, 'latin1')];

const riscvKernel = "Use the kernel of a riscv64 distribution, e.g. vmlinuz of Debian's linux-image-riscv64";

/** Compressed files, by the magic of each format. */
export const compressed: readonly Signature[] = [
  {
    offset: 0,
    magic: [0x1f, 0x8b],
    kind: 'compressed with gzip',
    fix: 'Decompress it first: gunzip < FILE > Image',
  },
  {
    offset: 0,
    magic: [0xfd, ...text('7zXZ'), 0],
    kind: 'compressed with xz',
    fix: 'Decompress it first: xz -d < FILE > Image',
  },
  {
    offset: 0,
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    kind: 'compressed with zstd',
    fix: 'Decompress it first: zstd -d < FILE > Image',
  },
  {
    offset: 0,
    magic: text('BZh'),
    kind: 'compressed with bzip2',
    fix: 'Decompress it first: bunzip2 < FILE > Image',
  },
  {
    offset: 0,
    magic: [0x04, 0x22, 0x4d, 0x18],
    kind: 'compressed with lz4',
    fix: 'Decompress it first: lz4 -d < FILE > Image',
  },
  {
    offset: 0,
    magic: [0x02, 0x21, 0x4c, 0x18],
    kind: 'compressed with lz4',
    fix: 'Decompress it first: lz4 -d < FILE > Image',
  },
  // Linux drivers/firmware/efi/libstub/zboot-header.S: "MZ", two zero bytes, "zimg".
  {
    offset: 4,
    magic: text('zimg'),
    kind: 'a compressed EFI zboot kernel',
    fix: 'Use the uncompressed arch/riscv/boot/Image of the same build',
  },
];

/** Kernels of other architectures or formats. The first match names the file. */
export const foreignKernels: readonly Signature[] = [
  // Documentation/arch/arm64/booting.rst
  { offset: 0x38, magic: text('ARMd'), kind: 'a kernel of arm64', fix: riscvKernel },
  // Documentation/arch/x86/boot.rst
  { offset: 0x202, magic: text('HdrS'), kind: 'a kernel of x86 (bzImage)', fix: riscvKernel },
  // arch/arm/boot/compressed/head.S
  {
    offset: 0x24,
    magic: [0x18, 0x28, 0x6f, 0x01],
    kind: 'a kernel of 32-bit Arm (zImage)',
    fix: riscvKernel,
  },
  { offset: 0x08, magic: text('linux-loongarch'), kind: 'a kernel of LoongArch', fix: riscvKernel },
  {
    offset: 0,
    magic: [0x27, 0x05, 0x19, 0x56],
    kind: 'a U-Boot uImage',
    fix: 'Use the plain Image that it was made from',
  },
  {
    offset: 0,
    magic: [0x7f, ...text('ELF')],
    kind: 'an ELF file',
    fix: 'Use arch/riscv/boot/Image of the same build, or boot it with GuestImage.firmware when it needs no Linux boot protocol',
  },
];

/** Disk formats with structure of their own: the guest would see the container instead of its contents. */
export const structuredDisks: readonly Signature[] = [
  {
    offset: 0,
    magic: [...text('QFI'), 0xfb],
    kind: 'a qcow2 image',
    fix: 'Convert it: qemu-img convert -O raw FILE disk.raw',
  },
  {
    offset: 0,
    magic: text('KDMV'),
    kind: 'a VMDK image',
    fix: 'Convert it: qemu-img convert -O raw FILE disk.raw',
  },
  {
    offset: 0,
    magic: text('vhdxfile'),
    kind: 'a VHDX image',
    fix: 'Convert it: qemu-img convert -O raw FILE disk.raw',
  },
  ...compressed.filter((signature) => signature.offset === 0),
];

export function findSignature(head: Uint8Array, signatures: readonly Signature[]): Signature | undefined {
  return signatures.find(({ offset, magic }) => magic.every((byte, index) => head[offset + index] === byte));
}
