/** examples/three-models, as `cdk synth` runs it with the repository's cdk.json, on images that only look like images. */
import type { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as path from 'path';
import { writeTar } from '../../lib/archive/tar';
import { parseDefinition } from '../../lambdas/worker/definition';
import { cdkContext, definitionOf, emptyBundle, file, kernel, tree } from './fixtures';

jest.mock('../../lib/bundle', () => ({ bundleDirectory: (name: string) => emptyBundle(name) }));

const pieces: Uint8Array[] = [];
writeTar(tree('busybox-root', { 'bin/sh': 'a shell' }), (piece) => pieces.push(piece));
file('busybox-root.tar', Buffer.concat(pieces));

function run(context: Record<string, unknown> = {}): { app: App; template: Template } {
  const images = path.dirname(kernel);
  process.env['CDK_CONTEXT_JSON'] = JSON.stringify({ ...cdkContext(), images, ...context });
  let app: App | undefined;
  jest.isolateModules(() => ({ app } = jest.requireActual<{ app: App }>('../../examples/three-models/app')));
  delete process.env['CDK_CONTEXT_JSON'];
  return { app: app!, template: Template.fromStack(app!.node.findChild('ThreeModels') as Stack) };
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

test('one guest of each model, all with the same answer to an event', () => {
  const { app, template } = run();
  const [worker] = Object.values(template.findResources('AWS::Lambda::Function')) as {
    Properties: { Environment: { Variables: { GUESTS: string } } };
  }[];
  const guests = JSON.parse(worker!.Properties.Environment.Variables.GUESTS) as Record<string, string>;
  const read = (id: string) => parseDefinition(id, JSON.stringify(definitionOf(app, guests[id]!)));
  expect(Object.keys(guests)).toEqual(['Container', 'Machine', 'Paravirtual']);
  expect(read('Machine')).toMatchObject({
    model: 'machine',
    firmware: { name: 'fw_dynamic.bin' },
    commandLine: expect.stringContaining('hv.run=agent'),
  });
  expect(read('Paravirtual')).toMatchObject({
    model: 'paravirt',
    commandLine: expect.stringContaining('hv.run=agent'),
  });
  expect(read('Paravirtual')).not.toHaveProperty('firmware');
  expect(read('Container')).toMatchObject({
    model: 'container',
    layers: [{ name: 'busybox-root.tar' }],
    onEvent: ['awk', expect.stringContaining('toupper')],
  });
});
