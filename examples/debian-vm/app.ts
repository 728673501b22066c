/**
 * One host and one virtual machine: Debian's own riscv64 kernel with a busybox shell on its console.
 *
 *   npx cdk synth                         the template
 *   npx cdk synth -c deterministic=true   guest time from retired instructions
 *   npx cdk synth -c sliceInstructions=N  ... in slices of N instructions each
 *   npx cdk synth -c timeSlice=SECONDS    slices of another length
 *   npx cdk synth -c images=DIRECTORY     kernel, initrd and firmware from elsewhere
 */
import { App, CfnOutput, Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import * as path from 'path';
import { GuestClock, GuestImage, Host, VirtualMachine } from '../../lib';

class DebianVm extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id, { description: 'cdk-hypervisor: Debian as a virtual machine that runs in time slices' });
    // Values of "-c" are text; those of cdk.json may be numbers and booleans.
    const option = (name: string): string | undefined =>
      (this.node.tryGetContext(name) as string | number | boolean | undefined)?.toString();
    const images = option('images') ?? path.join(__dirname, '..', '..', '.cache', 'images');
    const sliceInstructions = option('sliceInstructions');
    const deterministic = GuestClock.deterministic({
      seed: 1,
      ...(sliceInstructions !== undefined && { sliceInstructions: Number(sliceInstructions) }),
    });

    const host = new Host(this, 'Host', {
      timeSlice: Duration.seconds(Number(option('timeSlice') ?? 20)),
      // An example leaves nothing behind. Keep the default, RETAIN, for guests that matter.
      removalPolicy: RemovalPolicy.DESTROY,
    });

    const debian = new VirtualMachine(this, 'Debian', {
      host,
      image: GuestImage.linux({
        firmware: path.join(images, 'fw_dynamic.bin'),
        kernel: path.join(images, 'vmlinuz'),
        initrd: path.join(images, 'initrd.gz'),
        commandLine: 'console=ttyS0',
      }),
      memory: Size.mebibytes(256),
      clock: option('deterministic') === 'true' ? deterministic : GuestClock.real(),
    });

    new CfnOutput(this, 'GuestId', { value: debian.guestId });
    new CfnOutput(this, 'IngressFunction', { value: host.ingress.functionName });
  }
}

export const app = new App();
new DebianVm(app, 'DebianVm');
