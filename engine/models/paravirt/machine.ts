/**
 * The paravirtual machine: a kernel that the porter has changed and that enters
 * in S-mode, the monitor behind its SBI calls, and virtio devices. No firmware,
 * no M-mode.
 */
import { paravirt as hypercalls } from '../../isa/paravirt';
import { BoardGuest } from '../board-guest';
import { type GuestFiles, type HostServices, ImageError, type ParavirtDefinition } from '../guest';
import { type ImagePiece, KERNEL_OFFSET, checkDeviceTreeSize, placeImage } from '../linux-image';
import { type Identity, machineDeviceTreeBlob } from '../machine/devicetree';
import { MAX_PCI_DISKS, RAM_BASE } from '../machine/memory-map';
import { PARAVIRT } from './memory-map';
import { portKernel } from './porter/port';
import { type Rule, rules } from './porter/rules';
import { ECALL_FROM_SUPERVISOR, Supervisor, enterKernel } from './supervisor';

const ENTRY = RAM_BASE + KERNEL_OFFSET;

const IDENTITY: Identity = { compatible: 'cdk-hypervisor,paravirt', model: 'cdk-hypervisor,paravirt' };

export class ParavirtMachine extends BoardGuest {
  private readonly supervisor: Supervisor;

  /**
   * @param chosen porting rules; fewer of them for comparisons
   * @throws ImageError when the definition or its files cannot become a machine.
   */
  constructor(
    private readonly definition: ParavirtDefinition,
    files: GuestFiles | undefined,
    host: HostServices,
    private readonly chosen: readonly Rule[] = rules,
  ) {
    const ported = definition.port ?? true;
    if (files) checkFiles(files);
    super(definition, files, host, {
      name: 'paravirt',
      rows: PARAVIRT,
      monitor: true,
      extensions: ported ? [hypercalls.name] : [],
    });
    this.supervisor = new Supervisor(
      this.harts,
      this.ram,
      (bytes) => this.console.appendAll(bytes),
      (how, code) => this.end({ how, code }),
    );
    if (!files) return;
    const placement = placeImage(definition, files);
    const deviceTree = machineDeviceTreeBlob(this.board, {
      ...this.describeHart(),
      identity: IDENTITY,
      commandLine: definition.commandLine,
      initrd: placement.initrd,
    });
    checkDeviceTreeSize(deviceTree);
    for (const { address, bytes } of this.image(files)) this.ram.place(address, bytes);
    // No part of the image: it has a random seed in it, and another guest from the same files has another one.
    this.ram.write(placement.deviceTree, deviceTree);
    for (let other = 1; other < this.harts.count; other++) this.harts.stop(other);
    enterKernel(this.harts, 0, BigInt(ENTRY), BigInt(placement.deviceTree));
  }

  protected override image(files: GuestFiles): readonly ImagePiece[] {
    const { definition } = this;
    checkFiles(files);
    const { kernel = new Uint8Array(0), initrd } = files;
    const { initrd: place } = placeImage(definition, files);
    const pieces: ImagePiece[] = [{ address: ENTRY, bytes: kernel }];
    if (definition.port ?? true) {
      const { patches } = portKernel(definition.kernel?.name ?? 'kernel', kernel, this.chosen);
      pieces.push(...patches.map(({ offset, bytes }) => ({ address: ENTRY + offset, bytes })));
    }
    if (initrd && place) pieces.push({ address: place.start, bytes: initrd });
    return pieces;
  }

  protected override onTrap(): void {
    const { cause } = this.hart.trap;
    // All other exceptions are delegated, and medeleg is out of the guest's reach.
    if (cause !== ECALL_FROM_SUPERVISOR) throw new Error(`paravirt: trap ${cause} is not delegated`);
    this.supervisor.call();
  }
}

function checkFiles({ kernel, disks = [] }: GuestFiles): void {
  if (!kernel) {
    throw new ImageError(
      'a paravirtual machine starts at its kernel: give one, e.g. the vmlinuz of a distribution',
    );
  }
  if (disks.length > MAX_PCI_DISKS) {
    throw new ImageError(`${disks.length} disks: a paravirtual machine takes ${MAX_PCI_DISKS}; give fewer`);
  }
}
