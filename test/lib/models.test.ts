/** Paravirtual machines and containers: what differs from a virtual machine; and all three on one host. */
import { type App, Size, type Stack, Token } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as fs from 'fs';
import * as path from 'path';
import {
  Container,
  type ContainerProps,
  GuestClock,
  GuestImage,
  Host,
  type IGuest,
  OciImage,
  ParavirtualMachine,
  type ParavirtualMachineProps,
  VirtualMachine,
} from '../../lib';
import { parseDefinition } from '../../lambdas/worker/definition';
import {
  definitionOf,
  disk,
  emptyBundle,
  file,
  firmware,
  initrd,
  kernel,
  MEBIBYTE,
  stack,
  tree,
} from './fixtures';

jest.mock('../../lib/bundle', () => ({ bundleDirectory: (name: string) => emptyBundle(name) }));

const linux = () => GuestImage.linux({ kernel, initrd });
const root = () => OciImage.fromDirectory(tree('root', { 'bin/sh': 'a shell' }));

type Functions = Record<string, { Properties: { Environment: { Variables: { GUESTS: string } } } }>;

/** A guest's definition as the worker would read it, which also checks it. */
function written(scope: Stack, guest: IGuest): Record<string, unknown> {
  const functions = Template.fromStack(scope).findResources('AWS::Lambda::Function') as unknown as Functions;
  const [first] = Object.values(functions);
  const keys = JSON.parse(first!.Properties.Environment.Variables.GUESTS) as Record<string, string>;
  const key = keys[guest.guestId]!;
  const definition = definitionOf(scope.node.root as App, key);
  expect(parseDefinition(key, JSON.stringify(definition))).toEqual(definition);
  return definition;
}

function paravirtual(props: Partial<ParavirtualMachineProps> = {}): Record<string, unknown> {
  const scope = stack();
  const host = new Host(scope, 'Host');
  return written(scope, new ParavirtualMachine(scope, 'Guest', { host, image: linux(), ...props }));
}

function container(props: Partial<ContainerProps> = {}): Record<string, unknown> {
  const scope = stack();
  const host = new Host(scope, 'Host');
  const guest = new Container(scope, 'Guest', { host, image: root(), command: ['/bin/sh'], ...props });
  return written(scope, guest);
}

const entry = (name: string) => expect.objectContaining({ name }) as unknown;

describe('a paravirtual machine', () => {
  test('is a kernel without firmware', () => {
    expect(paravirtual()).toEqual({
      version: 1,
      model: 'paravirt',
      memory: 256 * MEBIBYTE,
      clock: 'real',
      kernel: entry('vmlinuz'),
      initrd: entry('initrd.gz'),
    });
    expect(
      paravirtual({
        port: false,
        harts: 2,
        image: GuestImage.linux({ kernel, commandLine: 'quiet', disks: [disk] }),
        clock: GuestClock.deterministic({ seed: 3, sliceInstructions: 9 }),
        cpuFeatures: ['zbb'],
        budget: { slices: 2 },
      }),
    ).toMatchObject({
      port: false,
      harts: 2,
      commandLine: 'quiet',
      disks: [entry('disk.raw')],
      seed: 3,
      sliceInstructions: 9,
      cpu: ['zbb'],
      breaker: { maxSlices: 2 },
    });
  });

  test('has 1 to 8 harts', () => {
    for (const harts of [0, 9, 1.5, -1, NaN]) {
      expect(() => paravirtual({ harts })).toThrow(
        /^harts of Stack\/Guest: a machine cannot have .* harts\. Give a whole number from 1 to 8/,
      );
    }
  });

  test('refuses firmware, and an image without a kernel', () => {
    expect(() => paravirtual({ image: GuestImage.linux({ kernel, firmware }) })).toThrow(
      /^image of Stack\/Guest: a paravirtual machine has no M-mode for the firmware "fw_dynamic\.bin": .*\. Leave "firmware" out of GuestImage\.linux\.$/,
    );
    expect(() => paravirtual({ image: GuestImage.firmware({ firmware }) })).toThrow(
      /^image of Stack\/Guest: .* the image has no kernel\. Use GuestImage\.linux, or a VirtualMachine/,
    );
  });

  test('needs memory for its kernel as a virtual machine does', () => {
    expect(() => paravirtual({ memory: Size.mebibytes(8) })).toThrow(
      /^memory of Stack\/Guest: 8 MiB are too little/,
    );
  });
});

describe('a container', () => {
  test('is layers and a command', () => {
    expect(container({ memory: Size.mebibytes(64) })).toEqual({
      version: 1,
      model: 'container',
      memory: 64 * MEBIBYTE,
      clock: 'real',
      layers: [entry('root.tar')],
      command: ['/bin/sh'],
    });
  });

  test('says all that was declared', () => {
    expect(
      container({
        command: ['sh', '-c', 'exit 0', ''],
        onEvent: ['tr', 'a-z', 'A-Z'],
        environment: { ZONE: 'a=b', EMPTY: '' },
        workingDirectory: '/srv',
        hostname: 'tools-1.example',
        pids: 12,
        clock: GuestClock.deterministic({ sliceInstructions: 5 }),
        budget: { instructions: 7 },
      }),
    ).toEqual({
      version: 1,
      model: 'container',
      memory: 256 * MEBIBYTE,
      clock: 'deterministic',
      seed: 0,
      layers: [entry('root.tar')],
      command: ['sh', '-c', 'exit 0', ''],
      onEvent: ['tr', 'a-z', 'A-Z'],
      environment: { EMPTY: '', ZONE: 'a=b' },
      workingDirectory: '/srv',
      hostname: 'tools-1.example',
      pids: 12,
      sliceInstructions: 5,
      breaker: { maxInstructions: 7 },
    });
  });

  const unknown = Token.asString({ Ref: 'Name' });
  test.each<[Partial<ContainerProps>, RegExp]>([
    [{ command: [] }, /^command of Stack\/Guest: it names no program\. Give a program and its arguments/],
    [{ command: [''] }, /^command of Stack\/Guest: it names no program/],
    [
      { command: ['echo', unknown] },
      /^command of Stack\/Guest, element 1: it is not known at synth\. .* as an event/,
    ],
    [{ command: ['a\0b'] }, /^command of Stack\/Guest, element 0: "a\\u0000b" contains a zero byte\./],
    [{ onEvent: [] }, /^onEvent of Stack\/Guest: it names no program/],
    [
      { environment: { 'A=B': '1' } },
      /^environment of Stack\/Guest: "A=B" is no name of an environment variable\./,
    ],
    [{ environment: { '': '1' } }, /"" is no name/],
    [{ environment: { A: unknown } }, /^environment of Stack\/Guest, A: it is not known at synth/],
    [
      { workingDirectory: 'srv' },
      /^workingDirectory of Stack\/Guest: "srv" is no absolute path\. .*"\/srv"\.$/,
    ],
    [{ hostname: 'a_b' }, /^hostname of Stack\/Guest: "a_b" is no host name\. Use 1 to 64/],
    [{ hostname: 'x'.repeat(65) }, /is no host name/],
    [{ pids: 0 }, /^pids of Stack\/Guest: 0 is no count\. Give a whole number from 1 on/],
    [{ pids: 1.5 }, /^pids of Stack\/Guest: 1\.5 is no count/],
    [{ memory: Size.kibibytes(100) }, /^memory of Stack\/Guest: \d+ bytes are not a multiple of 1 MiB/],
  ])('refuses %j', (props, message) => {
    expect(() => container(props)).toThrow(message);
  });

  test('whose layers do not fit beside its memory into the worker is refused', () => {
    const scope = stack();
    const host = new Host(scope, 'Host', { memorySize: 256 });
    const large = tree('large', { blob: Buffer.alloc(3 * MEBIBYTE, 1) });
    const declare = (id: string, memory: number) =>
      new Container(scope, id, {
        host,
        image: OciImage.fromDirectory(large),
        command: ['sh'],
        memory: Size.mebibytes(memory),
      });
    declare('Small', 92);
    expect(() => declare('Large', 93)).toThrow(
      /^memory of Stack\/Large: its 93 MiB of RAM, 4 MiB of layers and 160 MB .* or smaller layers, by 1 MiB\.$/,
    );
  });
});

describe('guests of all models on one host', () => {
  const declare = () => {
    const scope = stack();
    const host = new Host(scope, 'Host');
    const image = GuestImage.linux({ kernel, initrd, firmware });
    const guests = [
      new VirtualMachine(scope, 'Machine', { host, image }),
      new ParavirtualMachine(scope, 'Fast', { host, image: linux() }),
      new Container(scope, 'Tools', { host, image: root(), command: ['sh'] }),
      new Container(scope, 'Others', { host, image: root(), command: ['sh'] }),
    ];
    return { scope, host, guests };
  };

  test('are each known to the functions, and the worker may read the files of each', () => {
    const { scope, guests } = declare();
    const definitions = guests.map((guest) => written(scope, guest));
    expect(definitions.map(({ model }) => model)).toEqual(['machine', 'paravirt', 'container', 'container']);
    const template = Template.fromStack(scope);
    template.resourceCountIs('AWS::Lambda::Function', 2);
    const policies = JSON.stringify(template.findResources('AWS::IAM::Policy'));
    for (const definition of definitions) {
      for (const key of JSON.stringify(definition).match(/[0-9a-f]{64}\.[a-z]+/g) ?? [])
        expect(policies).toContain(key);
    }
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: { GUESTS: Match.stringLikeRegexp('"Fast":.*"Machine":.*"Others":.*"Tools":') },
      },
    });
    // Guests of the same files share their assets.
    expect(definitions[2]!['layers']).toEqual(definitions[3]!['layers']);
    expect(definitions[0]!['kernel']).toEqual(definitions[1]!['kernel']);
  });

  test('leave no files behind but the assembly', () => {
    const left = () =>
      fs.readdirSync(path.dirname(fs.realpathSync(tmp()))).filter((name) => name.startsWith('guest-asset-'));
    const before = left();
    (declare().scope.node.root as App).synth();
    expect(left()).toEqual(before);
  });

  test('can be referred to from another app', () => {
    const { host } = declare();
    const attributes = { host, guestId: 'far-1' };
    const scope = stack();
    const imported: IGuest[] = [
      VirtualMachine.fromVirtualMachineAttributes(scope, 'A', attributes),
      ParavirtualMachine.fromParavirtualMachineAttributes(scope, 'B', attributes),
      Container.fromContainerAttributes(scope, 'C', attributes),
    ];
    expect(imported.map(({ guestId }) => guestId)).toEqual(['far-1', 'far-1', 'far-1']);
    expect(imported.every((guest) => guest.host === host)).toBe(true);
  });
});

/** A file of a directory in the system's directory for temporary files. */
function tmp(): string {
  return path.dirname(file('probe', 'x'));
}
