/** Guests that boot a kernel: virtual machines and paravirtual machines. */
import type { GuestFiles, ImageFile } from '../../engine/models/guest';
import { defaultFirmware, loadFile, type LoadedFile } from '../guest-files';
import { UsageError } from '../usage-error';
import { describeCommon, wholeNumber, type DescribedGuest, type RunFlags } from './flags';

/** @throws UsageError */
export function describeVirtualMachine(flags: RunFlags): DescribedGuest {
  if (flags.kernel === undefined && (flags.firmware === undefined || flags.firmware === 'none')) {
    throw new UsageError(
      'nothing to run; give --kernel FILE, or --firmware FILE for a program that needs no kernel',
    );
  }
  const common = describeCommon(flags);
  const linux = loadLinux(flags, 'ttyS0');
  const firmware =
    flags.firmware === 'none' ? undefined : loadFile('firmware', flags.firmware ?? defaultFirmware());
  return {
    definition: {
      ...common,
      model: 'machine',
      ...hartsOf(flags),
      ...(firmware === undefined ? {} : { firmware: firmware.image }),
      ...linux.parts,
    },
    files: { ...(firmware === undefined ? {} : { firmware: firmware.bytes }), ...linux.files },
  };
}

/** @throws UsageError */
export function describeParavirtualMachine(flags: RunFlags): DescribedGuest {
  if (flags.kernel === undefined) {
    throw new UsageError(
      'nothing to run; give --kernel FILE: a paravirtual machine is a kernel that is ported',
    );
  }
  const common = describeCommon(flags);
  const linux = loadLinux(flags, 'hvc0');
  return {
    definition: {
      ...common,
      model: 'paravirt',
      ...hartsOf(flags),
      ...linux.parts,
      ...(flags.port ? {} : { port: false }),
    },
    files: linux.files,
  };
}

/** The engine says how many there can be. */
const hartsOf = ({ harts }: RunFlags): { readonly harts?: number } =>
  harts === undefined ? {} : { harts: wholeNumber('--harts', harts) };

interface LinuxParts {
  readonly kernel?: ImageFile;
  readonly initrd?: ImageFile;
  readonly commandLine?: string;
  readonly disks?: readonly ImageFile[];
}

/** `console`: where the model's console is for the kernel. */
function loadLinux(
  flags: RunFlags,
  console: string,
): { readonly parts: LinuxParts; readonly files: GuestFiles } {
  if (flags.kernel === undefined && flags.initrd !== undefined) {
    throw new UsageError('--initrd needs a kernel; give --kernel FILE');
  }
  if (flags.kernel === undefined && flags.append !== undefined) {
    throw new UsageError('--append needs a kernel; give --kernel FILE');
  }
  const kernel = optionalFile('kernel', flags.kernel);
  const initrd = optionalFile('initrd', flags.initrd);
  const disks = flags.disk?.map((file) => loadFile('disk', file));
  const commandLine = flags.append ?? (kernel === undefined ? undefined : `console=${console}`);
  return {
    parts: {
      ...(kernel === undefined ? {} : { kernel: kernel.image }),
      ...(initrd === undefined ? {} : { initrd: initrd.image }),
      ...(commandLine === undefined ? {} : { commandLine }),
      ...(disks === undefined ? {} : { disks: disks.map(({ image }) => image) }),
    },
    files: {
      ...(kernel === undefined ? {} : { kernel: kernel.bytes }),
      ...(initrd === undefined ? {} : { initrd: initrd.bytes }),
      ...(disks === undefined ? {} : { disks: disks.map(({ bytes }) => bytes) }),
    },
  };
}

const optionalFile = (what: string, path: string | undefined): LoadedFile | undefined =>
  path === undefined ? undefined : loadFile(what, path);
