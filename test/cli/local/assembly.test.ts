import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAssembly } from '../../../cli/local/assembly';
import { LocalCloudError } from '../../../cli/local/errors';
import { resolveResources } from '../../../cli/local/resources';
import { writeAssembly, type TinyAssembly } from './tiny-assembly';

const place = { region: 'eu-west-1', queueEndpoint: 'http://127.0.0.1:9' };

function read(tiny: Partial<TinyAssembly> = {}) {
  const written = writeAssembly({ code: '', ...tiny });
  try {
    return readAssembly(written.directory);
  } finally {
    written.remove();
  }
}

describe('assembly', () => {
  test('a stack, its template and its assets', () => {
    const assembly = read();
    expect(assembly).toMatchObject({ stackName: 'Tiny', region: undefined });
    expect(assembly.assets).toEqual([
      expect.objectContaining({
        packaging: 'zip',
        objectKey: 'c0de.zip',
        path: join(assembly.directory, 'asset.code'),
      }),
      expect.objectContaining({ packaging: 'file', objectKey: 'f11e.bin' }),
    ]);
  });

  describe('several stacks', () => {
    const directory = mkdtempSync(join(tmpdir(), 'hv-stacks-'));
    afterAll(() => rmSync(directory, { recursive: true }));
    const stack = (file: string) => ({
      type: 'aws:cloudformation:stack',
      environment: 'aws://1234/ap-south-1',
      properties: { templateFile: file },
    });
    const write = (path: string, artifacts: object) => {
      writeFileSync(join(directory, path, 'manifest.json'), JSON.stringify({ artifacts }));
      writeFileSync(join(directory, path, 't.json'), '{"Resources":{}}');
    };
    mkdirSync(join(directory, 'assembly-Stage'));
    write('.', {
      A: stack('t.json'),
      Stage: { type: 'cdk:cloud-assembly', properties: { directoryName: 'assembly-Stage' } },
    });
    write('assembly-Stage', { StageB: { ...stack('t.json'), displayName: 'Stage/B' } });

    test('one is chosen by name, a stage in it by its path', () => {
      expect(readAssembly(directory, 'A')).toMatchObject({ stackName: 'A', region: 'ap-south-1' });
      expect(readAssembly(directory, 'Stage/B').stackName).toBe('StageB');
    });

    test('or the choice is asked for', () => {
      expect(() => readAssembly(directory)).toThrow(/several stacks; choose one of: A, Stage\/B/);
      expect(() => readAssembly(directory, 'C')).toThrow(/no single stack "C"; choose one of: A, Stage\/B/);
    });
  });

  test('what is no assembly says what to do', () => {
    const directory = mkdtempSync(join(tmpdir(), 'hv-no-assembly-'));
    expect(() => readAssembly(directory)).toThrow(
      /no cloud assembly: it has no manifest.json; run "cdk synth" first/,
    );
    writeFileSync(join(directory, 'manifest.json'), '{');
    expect(() => readAssembly(directory)).toThrow(LocalCloudError);
    writeFileSync(join(directory, 'manifest.json'), '{}');
    expect(() => readAssembly(directory)).toThrow(/has no stack/);
    rmSync(directory, { recursive: true });
  });
});

describe('resources', () => {
  const resources = (added: Record<string, object> = {}) =>
    resolveResources(read({ resources: added }), place);

  test('names, ARNs and URLs agree wherever they are used', () => {
    const stack = resources();
    expect(stack.get('Function', 'AWS::Lambda::Function').properties['Environment']).toEqual({
      Variables: {
        TABLE_NAME: 'Tiny-Table',
        QUEUE_URL: 'http://127.0.0.1:9/000000000000/Tiny-Queue',
        ASSETS_BUCKET: 'cdk-assets-000000000000-eu-west-1',
        ARN: 'arn:aws:x:eu-west-1',
      },
    });
    expect(stack.get('Mapping', 'AWS::Lambda::EventSourceMapping').properties['EventSourceArn']).toBe(
      'arn:aws:sqs:eu-west-1:000000000000:Tiny-Queue',
    );
  });

  test('a name that the user chose is kept', () => {
    const stack = resources({ Named: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'mine' } } });
    expect(stack.scope.ref('Named')).toBe('http://127.0.0.1:9/000000000000/mine');
  });

  test.each<[Record<string, object>, RegExp]>([
    [
      { Bus: { Type: 'AWS::Events::EventBus' } },
      /^Bus is of type AWS::Events::EventBus, which the local cloud does not know/,
    ],
    [
      { Q: { Type: 'AWS::SQS::Queue', Properties: { X: { 'Fn::GetAtt': ['Table', 'StreamArn'] } } } },
      /^Q \(AWS::SQS::Queue\): Table \(AWS::DynamoDB::Table\): the local cloud does not know the attribute StreamArn/,
    ],
    [
      { Q: { Type: 'AWS::SQS::Queue', Properties: { X: { Ref: 'Nobody' } } } },
      /^Q \(AWS::SQS::Queue\): Ref to Nobody: the template has nothing of this name/,
    ],
  ])('%j is refused by logical id and type', (added, message) => {
    expect(() => resources(added).ofType('AWS::SQS::Queue')).toThrow(message);
  });

  test('a parameter stands for its default', () => {
    expect(resources().scope.ref('BootstrapVersion')).toBe('/cdk/version');
  });
});
