/** The virtual machine: harts, RAM, and the devices of QEMU's `virt` around them. */
import { BoardGuest } from '../board-guest';
import type { GuestFiles, HostServices, MachineDefinition } from '../guest';
import { type ImagePiece, placeImage } from '../linux-image';
import { boot, machineImage } from './boot';
import { machineDeviceTreeBlob } from './devicetree';
import { VIRT } from './memory-map';

export class Machine extends BoardGuest {
  /** @throws ImageError when the definition or its files cannot become a machine. */
  constructor(
    private readonly definition: MachineDefinition,
    files: GuestFiles | undefined,
    host: HostServices,
  ) {
    super(definition, files, host, { name: 'machine', rows: VIRT });
    if (!files) return;
    const placement = placeImage(definition, files);
    const deviceTree = machineDeviceTreeBlob(this.board, {
      ...this.describeHart(),
      commandLine: definition.commandLine,
      initrd: placement.initrd,
    });
    boot(this.harts, this.ram, { definition, files, placement }, deviceTree);
  }

  protected override image(files: GuestFiles): readonly ImagePiece[] {
    const { definition } = this;
    return machineImage(this.ram, { definition, files, placement: placeImage(definition, files) }).pieces;
  }
}
