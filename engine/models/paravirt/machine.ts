/**
 * The paravirtual machine: a kernel that the porter has changed and that enters
 * in S-mode, the monitor behind its SBI calls, and virtio devices. No firmware,
 * no M-mode.
 */
import { paravirt as hypercalls } from '../../isa/paravirt';
import { BoardGuest } from '../board-guest';
import { type GuestFiles, type HostServices, ImageError, type ParavirtDefinition } from '../guest';
import { KERNEL_OFFSET, checkDeviceTreeSize, placeImage } from '../linux-image';
import { type Identity, machineDeviceTreeBlob } from '../machine/devicetree';
import { MAX_PCI_DISKS, RAM_BASE } from '../machine/memory-map';
import { PARAVIRT } from './memory-map';
import { portKernel } from './porter/port';
import { type Rule, rules } from './porter/rules';
import { ECALL_FROM_SUPERVISOR, Supervisor, enterKernel } from './supervisor';

const IDENTITY: Identity = { compatible: 'cdk-hypervisor,paravirt', model: 'cdk-hypervisor,paravirt' };

export class ParavirtMachine extends BoardGuest {
  private readonly supervisor: Supervisor;

  /**
   * @param chosen porting rules; fewer of them for comparisons
   * @throws ImageError when the definition or its files cannot become a machine.
   */
  constructor(
    definition: ParavirtDefinition,
    files: GuestFiles,
    host: HostServices,
    chosen: readonly Rule[] = rules,
  ) {
    const ported = definition.port ?? true;
    checkFiles(files);
    super(definition, files, host, {
      name: 'paravirt',
      rows: PARAVIRT,
      monitor: true,
      extensions: ported ? [hypercalls.name] : [],
    });
    const { kernel = new Uint8Array(0), initrd } = files;
    this.supervisor = new Supervisor(
      this.harts,
      this.ram,
      (bytes) => this.console.appendAll(bytes),
      (how, code) => this.end({ how, code }),
    );
    const placement = placeImage(definition, files);
    const deviceTree = machineDeviceTreeBlob(this.board, {
      ...this.describeHart(),
      identity: IDENTITY,
      commandLine: definition.commandLine,
      initrd: placement.initrd,
    });
    checkDeviceTreeSize(deviceTree);
    const entry = RAM_BASE + KERNEL_OFFSET;
    this.ram.place(entry, kernel);
    if (ported) {
      const { patches } = portKernel(definition.kernel?.name ?? 'kernel', kernel, chosen);
      for (const { offset, bytes } of patches) this.ram.place(entry + offset, bytes);
    }
    if (initrd && placement.initrd) this.ram.place(placement.initrd.start, initrd);
    this.ram.place(placement.deviceTree, deviceTree);
    for (let other = 1; other < this.harts.count; other++) this.harts.stop(other);
    enterKernel(this.harts, 0, BigInt(entry), BigInt(placement.deviceTree));
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
