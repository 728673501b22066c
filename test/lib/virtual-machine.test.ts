import {
  App,
  CfnParameter,
  type IStackSynthesizer,
  LegacyStackSynthesizer,
  Size,
  Stack,
  Token,
} from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Construct } from 'constructs';
import * as path from 'path';
import type { MachineDefinition } from '../../engine/models/guest';
import { GuestClock, GuestImage, Host, VirtualMachine, type VirtualMachineProps } from '../../lib';
import {
  definitionOf,
  disk,
  emptyBundle,
  file,
  firmware,
  initrd,
  kernel,
  kernelBytes,
  MEBIBYTE,
  sha256,
  stack,
} from './fixtures';

jest.mock('../../lib/bundle', () => ({ bundleDirectory: (name: string) => emptyBundle(name) }));

const linux = () => GuestImage.linux({ kernel, initrd, firmware });

/** Declares one guest and gives what its host tells the worker. */
function declare(props: Partial<VirtualMachineProps> = {}, scope: Construct = stack(), id = 'Guest') {
  const host = new Host(Stack.of(scope), 'Host');
  const guest = new VirtualMachine(scope, id, { host, image: props.image ?? linux(), ...props });
  return { guest, host, stack: Stack.of(scope) };
}

function definition(props: Partial<VirtualMachineProps> = {}): Record<string, unknown> {
  const { guest, stack: scope } = declare(props);
  const functions = Object.values(Template.fromStack(scope).findResources('AWS::Lambda::Function')) as {
    Properties: { Environment: { Variables: { GUESTS: string } } };
  }[];
  const guests = JSON.parse(functions[0].Properties.Environment.Variables.GUESTS) as Record<string, string>;
  return definitionOf(scope.node.root as App, guests[guest.guestId]);
}

describe('disks', () => {
  const large = Buffer.alloc(16 * MEBIBYTE + 512, 7);

  test('may be larger than their images; large images come with a table of their blocks', () => {
    const images = [disk, file('large.raw', large)];
    const all = definition({
      image: GuestImage.linux({ kernel, firmware, disks: images, diskSizes: [Size.gibibytes(64)] }),
    }) as unknown as MachineDefinition;
    const [small, big] = all.disks!;
    expect(small).toMatchObject({ size: 1024, capacity: 2 ** 36 });
    expect(small).not.toHaveProperty('blocks');
    expect(big).not.toHaveProperty('capacity');
    // 128 full blocks and the 512 bytes behind them.
    expect(big!.blocks).toMatchObject({ name: 'large.raw.blocks', size: 129 * 32 });
  });

  test.each([
    [Size.bytes(512), /disk ".*": its "diskSizes" entry is .* Give a whole number of 4 KiB pages/],
    [Size.gibibytes(65), /up to 64 GiB/],
    [Size.bytes(5000), /whole number of 4 KiB pages/],
  ])('of %p are refused', (size, message) => {
    const image = GuestImage.linux({ kernel, firmware, disks: [disk], diskSizes: [size] });
    expect(() => declare({ image })).toThrow(message);
  });

  test('have no more sizes than there are disks', () => {
    const image = GuestImage.linux({ kernel, firmware, disks: [], diskSizes: [Size.gibibytes(1)] });
    expect(() => declare({ image })).toThrow(/diskSizes: there are 1 sizes for 0 disks/);
  });
});

describe('the definition', () => {
  test('says all that was declared', () => {
    const entry = (target: string) => ({
      key: expect.stringMatching(/^[0-9a-f]{64}\.[0-9a-z]+$/) as unknown,
      name: path.basename(target),
      sha256: sha256(target),
      size: expect.any(Number) as unknown,
    });
    const all = definition({
      image: GuestImage.linux({
        kernel,
        initrd,
        firmware,
        commandLine: 'console=ttyS0 quiet',
        disks: [disk],
      }),
      memory: Size.mebibytes(64),
      harts: 4,
      cpuFeatures: ['sstc', 'zicntr', 'zba', 'sstc'],
      clock: GuestClock.deterministic({ seed: 7, sliceInstructions: 1000 }),
      budget: { slices: 10, instructions: 2 ** 40 },
    });
    expect(all).toEqual({
      version: 1,
      model: 'machine',
      memory: 64 * MEBIBYTE,
      harts: 4,
      cpu: ['zba', 'sstc'],
      clock: 'deterministic',
      seed: 7,
      firmware: entry(firmware),
      kernel: entry(kernel),
      initrd: entry(initrd),
      commandLine: 'console=ttyS0 quiet',
      disks: [entry(disk)],
      sliceInstructions: 1000,
      breaker: { maxSlices: 10, maxInstructions: 2 ** 40 },
    });
    expect(all['kernel']).toMatchObject({ size: 4096 });
  });

  test('says no more than that', () => {
    expect(Object.keys(definition({ image: GuestImage.linux({ kernel, firmware }) }))).toEqual([
      'version',
      'model',
      'memory',
      'clock',
      'firmware',
      'kernel',
    ]);
    expect(definition({ image: GuestImage.firmware({ firmware }) })).toMatchObject({
      memory: 256 * MEBIBYTE,
      clock: 'real',
      firmware: { name: 'fw_dynamic.bin' },
    });
  });

  test('names files by the keys under which the assembly publishes them', () => {
    const { stack: scope } = declare();
    const assembly = (scope.node.root as App).synth();
    const published = assembly.getStackByName('Stack').assets;
    expect(published).toEqual([]); // Modern synthesizers list assets in a manifest of their own.
    const manifest = assembly.artifacts.find((artifact) => artifact.id === 'Stack.assets');
    const { files } = (
      manifest as unknown as { contents: { files: Record<string, { destinations: object }> } }
    ).contents;
    const keys = Object.values(files).flatMap(({ destinations }) =>
      (Object.values(destinations) as { objectKey: string }[]).map(({ objectKey }) => objectKey),
    );
    const written = definition() as unknown as MachineDefinition;
    expect(keys).toEqual(
      expect.arrayContaining([written.kernel!.key, written.initrd!.key, written.firmware!.key]),
    );
  });
});

describe('the guest’s id', () => {
  const idOf = (...ids: string[]) => {
    const scope = stack();
    const parents = ids.slice(0, -1).reduce<Construct>((parent, id) => new Construct(parent, id), scope);
    return declare({}, parents, ids.at(-1)).guest.guestId;
  };

  test('is the path below the stack', () => {
    expect(idOf('Debian')).toBe('Debian');
    expect(idOf('Fleet', 'Default', 'web-1')).toBe('Fleet-web-1');
  });

  test('is made of letters, digits and hyphens, whatever the path, and differs where paths do', () => {
    const ids = [
      idOf('a_b'),
      idOf('a.b'),
      idOf('ä'),
      idOf('_'),
      idOf('x'.repeat(200)),
      idOf('x'.repeat(201)),
      idOf('-a'),
    ];
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('can be given', () => {
    expect(declare({ guestId: 'web-1' }).guest.guestId).toBe('web-1');
  });

  test.each(['', '-a', 'a-', 'a_b', 'a/b', 'x'.repeat(64), Token.asString({ Ref: 'Name' })])(
    'cannot be %p',
    (guestId) => {
      expect(() => declare({ guestId })).toThrow(
        /^guestId of Stack\/Guest: .* is no guest id\. Use 1 to 63 letters/,
      );
    },
  );
});

describe('a virtual machine refuses', () => {
  const refuse = (props: Partial<VirtualMachineProps>, message: RegExp) =>
    expect(() => declare(props)).toThrow(message);

  test('a CPU feature that there is not, and lists those that there are', () => {
    refuse(
      { cpuFeatures: ['zba', 'avx2'] },
      /^cpuFeatures of Stack\/Guest: "avx2" is no CPU feature that the engine has\. Use names of this list, .*rva22.*zba.*zbb.*zbs.*sstc.*\.$/,
    );
    refuse({ cpuFeatures: ['ZBA'] }, /"ZBA" is no CPU feature/);
    refuse({ cpuFeatures: ['constructor'] }, /"constructor" is no CPU feature/);
  });

  test.each([Size.kibibytes(1024 * 64 + 4), Size.kibibytes(512), Size.bytes(0)])(
    'memory that is no multiple of 1 MiB: %j',
    (memory) => {
      refuse(
        { memory },
        /^memory of Stack\/Guest: \d+ bytes are not a multiple of 1 MiB\. Set it to Size\.mebibytes\(\d+\)\.$/,
      );
    },
  );

  test('more harts than there can be, or none', () => {
    refuse(
      { harts: 9 },
      /^harts of Stack\/Guest: a machine cannot have 9 harts\. Give a whole number from 1 to 8/,
    );
    refuse({ harts: 0 }, /cannot have 0 harts/);
  });

  test('memory that the engine cannot address, or that is not known at synth', () => {
    refuse(
      { memory: Size.gibibytes(4) },
      /^memory of Stack\/Guest: 4096 MiB are more than one guest can have\. Set it to Size\.mebibytes\(4092\) or less\.$/,
    );
    const scope = stack();
    const parameter = new CfnParameter(scope, 'Memory', { type: 'Number' });
    expect(() => declare({ memory: Size.mebibytes(parameter.valueAsNumber) }, scope)).toThrow(
      /^memory of Stack\/Guest: it is not known at synth\. Give a literal size/,
    );
  });

  test('an image without firmware', () => {
    refuse(
      { image: GuestImage.linux({ kernel, initrd }) },
      /^image of Stack\/Guest: a virtual machine starts in M-mode, and the image has no firmware\. Give GuestImage\.linux the property "firmware"/,
    );
  });

  test('too little memory for the kernel', () => {
    refuse(
      { memory: Size.mebibytes(25) },
      /^memory of Stack\/Guest: 25 MiB are too little for kernel ".*vmlinuz", which takes 8 MiB and works in 16 MiB more\. Set "memory" to 27 MiB or more\.$/,
    );
    expect(() => declare({ memory: Size.mebibytes(27) })).not.toThrow();
  });

  test('an initrd that does not fit beside the kernel', () => {
    const large = file('large.img', Buffer.alloc(3 * MEBIBYTE, 1));
    const image = GuestImage.linux({ kernel, initrd: large, firmware });
    refuse(
      { image, memory: Size.mebibytes(28) },
      /^initrd ".*large\.img": its 3 MiB do not fit beside the kernel into the 28 MiB of Stack\/Guest\. Set "memory" to 29 MiB or more, or use a smaller initrd\.$/,
    );
    expect(() => declare({ image, memory: Size.mebibytes(29) })).not.toThrow();
  });

  test('firmware that reaches into the kernel', () => {
    const fat = file('fat.bin', Buffer.alloc(2 * MEBIBYTE + 1, 0x13));
    refuse(
      { image: GuestImage.linux({ kernel, firmware: fat }) },
      /^firmware ".*fat\.bin": it takes 3 MiB from the start of RAM, and kernel ".*" begins at 2 MiB\. /,
    );
    const nommu = file('nommu', kernelBytes({ textOffset: 0 }));
    refuse(
      { image: GuestImage.linux({ kernel: nommu, firmware }) },
      /begins at 0 MiB\. .*a kernel for S-mode\.$/,
    );
  });

  test('firmware larger than memory', () => {
    const fat = file('fat3.bin', Buffer.alloc(3 * MEBIBYTE, 0x13));
    refuse(
      { image: GuestImage.firmware({ firmware: fat }), memory: Size.mebibytes(2) },
      /^memory of Stack\/Guest: firmware ".*" takes 3 MiB from the start of RAM, and there are 2 MiB\. Set "memory" to 3 MiB or more\.$/,
    );
  });

  test.each([-1, 1.5, 2 ** 32, NaN])('the seed %p', (seed) => {
    refuse(
      { clock: GuestClock.deterministic({ seed }) },
      /^clock of Stack\/Guest: the seed .* is no integer from 0 to 2\^32 - 1\. /,
    );
  });

  test.each([0, -1, 1.5, NaN])('a budget or a slice of %p', (count) => {
    refuse(
      { budget: { slices: count } },
      /^budget\.slices of Stack\/Guest: .* is no count\. Give a whole number from 1 on, known at synth\.$/,
    );
    refuse({ budget: { instructions: count } }, /^budget\.instructions of Stack\/Guest: /);
    refuse(
      { clock: GuestClock.deterministic({ sliceInstructions: count }) },
      /^clock\.sliceInstructions of Stack\/Guest: /,
    );
  });

  test('a synthesizer that does not know the keys of assets', () => {
    const scope = new Stack(new App(), 'Stack', {
      synthesizer: new LegacyStackSynthesizer() as IStackSynthesizer,
    });
    expect(() => declare({}, scope)).toThrow(
      /^Stack\/Guest\/Firmware: the stack's synthesizer does not know the keys .* Use the DefaultStackSynthesizer, or one derived from it\.$/,
    );
  });
});
