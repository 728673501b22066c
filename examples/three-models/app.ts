/**
 * One host, and one guest of each model: a virtual machine, a paravirtual machine and a container. All three answer
 * the same events: the text that they are sent, in upper case.
 *
 *   npx cdk synth --app "node --import tsx examples/three-models/app.ts"
 *     -c timeSlice=SECONDS    slices of another length
 *     -c images=DIRECTORY     kernel, initrd, firmware and the container's root from elsewhere
 */
import { App, CfnOutput, Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import * as fs from 'fs';
import * as path from 'path';
import { Container, GuestImage, Host, OciImage, ParavirtualMachine, VirtualMachine } from '../../lib';

const repository = path.join(__dirname, '..', '..');

/** What answers an event, in all three guests: in the machines it is part of the initrd. */
const upperCase = fs.readFileSync(path.join(repository, 'scripts/images/guest/upper.awk'), 'utf8');

class ThreeModels extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id, { description: 'cdk-hypervisor: one guest of each model on one host' });
    // Values of "-c" are text; those of cdk.json may be numbers and booleans.
    const option = (name: string): string | undefined =>
      (this.node.tryGetContext(name) as string | number | boolean | undefined)?.toString();
    const images = option('images') ?? path.join(repository, '.cache', 'images');
    const file = (name: string) => path.join(images, name);

    const host = new Host(this, 'Host', {
      timeSlice: Duration.seconds(Number(option('timeSlice') ?? 20)),
      // An example leaves nothing behind. Keep the default, RETAIN, for guests that matter.
      removalPolicy: RemovalPolicy.DESTROY,
    });

    // Imitated hardware, Debian's unmodified firmware and kernel on it.
    const machine = new VirtualMachine(this, 'Machine', {
      host,
      image: GuestImage.linux({
        firmware: file('fw_dynamic.bin'),
        kernel: file('vmlinuz'),
        initrd: file('initrd.gz'),
        commandLine: 'console=ttyS0 quiet hv.run=agent',
      }),
      memory: Size.mebibytes(256),
    });

    // The same kernel, ported as it is loaded, without firmware.
    const paravirtual = new ParavirtualMachine(this, 'Paravirtual', {
      host,
      image: GuestImage.linux({
        kernel: file('vmlinuz'),
        initrd: file('initrd.gz'),
        commandLine: 'console=hvc0 quiet hv.run=agent',
      }),
      memory: Size.mebibytes(256),
    });

    // The same programs without a kernel of their own: each event is given to one of them.
    const container = new Container(this, 'Container', {
      host,
      image: OciImage.fromTar(file('busybox-root.tar')),
      command: ['sh', '-c', 'echo "answering events"; exec cat'],
      onEvent: ['awk', upperCase],
      environment: { PATH: '/bin' },
      hostname: 'container',
      memory: Size.mebibytes(64),
    });

    new CfnOutput(this, 'VirtualMachine', { value: machine.guestId });
    new CfnOutput(this, 'ParavirtualMachine', { value: paravirtual.guestId });
    new CfnOutput(this, 'ContainerGuest', { value: container.guestId });
    new CfnOutput(this, 'IngressFunction', { value: host.ingress.functionName });
  }
}

export const app = new App();
new ThreeModels(app, 'ThreeModels');
