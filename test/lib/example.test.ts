/** examples/debian-vm, as `cdk synth` runs it with the repository's cdk.json, on images that only look like images. */
import type { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as path from 'path';
import { cdkContext, definitionOf, emptyBundle, kernel } from './fixtures';

jest.mock('../../lib/bundle', () => ({ bundleDirectory: (name: string) => emptyBundle(name) }));

/** Runs the app anew; the CDK hands it context by this variable, whatever the example declares. */
function run(context: Record<string, unknown> = {}): { app: App; template: Template } {
  process.env['CDK_CONTEXT_JSON'] = JSON.stringify({
    ...cdkContext(),
    images: path.dirname(kernel),
    ...context,
  });
  let app: App | undefined;
  jest.isolateModules(() => ({ app } = jest.requireActual<{ app: App }>('../../examples/debian-vm/app')));
  delete process.env['CDK_CONTEXT_JSON'];
  return { app: app!, template: Template.fromStack(app!.node.findChild('DebianVm') as Stack) };
}

function definition(context?: Record<string, unknown>): Record<string, unknown> {
  const { app, template } = run(context);
  const [worker] = Object.values(template.findResources('AWS::Lambda::Function')) as {
    Properties: { Environment: { Variables: { GUESTS: string } } };
  }[];
  const guests = JSON.parse(worker!.Properties.Environment.Variables.GUESTS) as Record<string, string>;
  return definitionOf(app, guests['Debian']!);
}

/** Hashes change with the code that is deployed, and with nothing that a reader of the template looks for. */
function maskHashes(template: object): unknown {
  return JSON.parse(JSON.stringify(template).replace(/[0-9a-f]{64}(?:\.[0-9a-f]{64})?/g, '<hash>'));
}

test('the template is the one that was reviewed', () => {
  expect(maskHashes(run().template.toJSON())).toMatchSnapshot();
});

test('the validation rules of the CDK pass as errors', () => {
  const { app } = run();
  expect(app.node.tryGetContext('@aws-cdk/core:validateAgainstDefaultRules')).toBe(true);
  expect(() => app.synth()).not.toThrow();
});

test('the guest is Debian with OpenSBI, 256 MiB, and a console', () => {
  expect(definition()).toMatchObject({
    memory: 268_435_456,
    clock: 'real',
    firmware: { name: 'fw_dynamic.bin' },
    kernel: { name: 'vmlinuz' },
    initrd: { name: 'initrd.gz' },
    commandLine: 'console=ttyS0',
  });
});

test('the slice is an option', () => {
  run({ timeSlice: '2' }).template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: Match.objectLike({ SLICE_SECONDS: '2' }) },
  });
});

test('the deterministic clock is an option', () => {
  expect(definition({ deterministic: 'true' })).toMatchObject({ clock: 'deterministic', seed: 1 });
  expect(definition({ deterministic: 'true', sliceInstructions: '1000' })).toMatchObject({
    sliceInstructions: 1000,
  });
});
