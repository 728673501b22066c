import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImageError, type GuestDefinition, type ImageFile } from '../../../engine/models/guest';
import { parseDefinition } from '../../../lambdas/worker/definition';
import { Images } from '../../../lambdas/worker/image';

const kernel = new TextEncoder().encode('kernel');
const file: ImageFile = {
  key: 'k',
  name: 'vmlinuz',
  size: kernel.length,
  sha256: createHash('sha256').update(kernel).digest('hex'),
};
const definition: GuestDefinition = { version: 1, model: 'machine', memory: 2 ** 28, clock: 'real' };

describe('image files', () => {
  let directory: string;
  let gets: string[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'images-'));
    gets = [];
  });
  afterEach(() => rm(directory, { recursive: true }));

  const images = (contents: Record<string, Uint8Array>): Images =>
    new Images({ get: async (key) => (gets.push(key), contents[key]) }, directory);

  test('are downloaded once, and shared by later workers of the machine', async () => {
    const all = { ...definition, kernel: file, disks: [file] };
    const first = images({ k: kernel });
    expect(await first.files({ ...definition, kernel: file })).toEqual({ kernel });
    await first.settle();
    expect(gets).toEqual(['k']);
    expect(await images({}).files(all)).toEqual({ kernel, disks: [kernel] });
    expect(gets).toEqual(['k']);
    expect(await readdir(directory)).toEqual([file.sha256]);
  });

  test('a damaged copy is downloaded again', async () => {
    await writeFile(join(directory, file.sha256), 'kermel');
    const again = images({ k: kernel });
    expect(await again.files({ ...definition, kernel: file })).toEqual({ kernel });
    await again.settle();
    expect(gets).toEqual(['k']);
  });

  test.each<[string, Record<string, Uint8Array>, RegExp]>([
    ['missing', {}, /vmlinuz \(k\) is not among the assets/],
    ['short', { k: kernel.subarray(1) }, /vmlinuz \(k\) has 5 bytes, not 6/],
    ['changed', { k: kernel.map((byte) => byte ^ 1) }, /vmlinuz \(k\) has SHA-256/],
  ])('%s ones are refused by name', async (_, contents, message) => {
    const attempt = images(contents).files({ ...definition, kernel: file });
    await expect(attempt).rejects.toThrow(ImageError);
    await expect(attempt).rejects.toThrow(message);
    expect(await readdir(directory)).toEqual([]);
  });

  test('a definition is read once', async () => {
    const loader = images({ d: new TextEncoder().encode(JSON.stringify(definition)) });
    expect(await loader.definition('d')).toEqual(definition);
    expect(await loader.definition('d')).toEqual(definition);
    expect(gets).toEqual(['d']);
  });
});

describe('definitions', () => {
  const full = { ...definition, cpu: ['zba'], seed: 0, kernel: file, commandLine: '', disks: [file], sliceInstructions: 5, breaker: { maxSlices: 0 } }; // prettier-ignore
  const { kernel: _, ...common } = { ...definition, kernel: file };
  const paravirt = { ...common, model: 'paravirt', kernel: file, initrd: file, commandLine: 'quiet', disks: [file], port: false }; // prettier-ignore
  const container = { ...common, model: 'container', layers: [file], command: ['/bin/sh'], onEvent: ['tr', 'a', 'b'], environment: { A: 'b' }, workingDirectory: '/', hostname: 'h', pids: 5 }; // prettier-ignore

  test.each([full, paravirt, container])('a full one of model $model is taken', (each) =>
    expect(parseDefinition('d', JSON.stringify(each))).toEqual(each),
  );

  test.each<[string, unknown]>([
    ['layers', undefined],
    ['layers', [1]],
    ['command', undefined],
    ['command', []],
    ['command', [1]],
    ['onEvent', 'tr'],
    ['environment', { A: 1 }],
    ['environment', ['A=1']],
    ['workingDirectory', 1],
    ['hostname', 1],
    ['pids', 0],
  ])("a container's %s: %j is refused", (field, value) => {
    const attempt = () => parseDefinition('d.json', JSON.stringify({ ...container, [field]: value }));
    expect(attempt).toThrow(ImageError);
    expect(attempt).toThrow(`d.json: ${field} must `);
  });

  test("a paravirtual machine's port is refused when it is no answer", () => {
    const attempt = () => parseDefinition('d.json', JSON.stringify({ ...paravirt, port: 'no' }));
    expect(attempt).toThrow('d.json: port must be true or false');
  });

  test.each<[string, unknown]>([
    ['version', 2],
    ['model', 5],
    ['model', 'toString'],
    ['memory', 0],
    ['memory', '1'],
    ['clock', 'fast'],
    ['cpu', 'zba'],
    ['seed', -1],
    ['firmware', {}],
    ['kernel', { ...file, sha256: 'x' }],
    ['initrd', { ...file, size: -1 }],
    ['commandLine', 1],
    ['disks', [1]],
    ['sliceInstructions', 0],
    ['breaker', { maxSlices: 'many' }],
  ])('%s: %j is refused', (field, value) => {
    // prettier-ignore
    const attempt = () => parseDefinition('d.json', JSON.stringify({ ...full, [field]: value }));
    expect(attempt).toThrow(ImageError);
    expect(attempt).toThrow(`d.json: ${field} must `);
  });
});
