/**
 * Imports point downward only: the project's own lint configuration is run over a tree of tiny files, one for every
 * pair of parts, and has to complain about exactly those that the design does not draw. The tree has the
 * project's folders but none of its files, so the test asks nothing of what is built already.
 */
import { spawnSync } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';

const repository = path.resolve(__dirname, '..');

/** Parts of the tree, and the arrows of LAYOUT between them: what each may import besides itself. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  'engine/wasm': [],
  'engine/memory': [],
  'engine/snapshot': [],
  'engine/devicetree': [],
  'engine/isa': ['engine/wasm'],
  'engine/cpu': ['engine/isa', 'engine/memory', 'engine/wasm', 'engine/snapshot'],
  'engine/devices': ['engine/memory', 'engine/snapshot', 'engine/devicetree'],
  'engine/backends': ['engine/devices', 'engine/memory', 'engine/snapshot'],
  'engine/models': [
    'engine/devices',
    'engine/backends',
    'engine/cpu',
    'engine/isa',
    'engine/devicetree',
    'engine/memory',
    'engine/snapshot',
    'engine/wasm',
  ],
  'lambdas/store': ['engine/models', 'engine/memory', 'engine/snapshot'],
  'lambdas/queue': ['lambdas/store'],
  'lambdas/worker': [
    'lambdas/ingress', // Both are handlers; nothing is lost while neither is below the other.
    'lambdas/store',
    'lambdas/queue',
    'engine/models',
    'engine/memory',
    'engine/snapshot',
    'engine/backends',
    'engine/devices',
  ],
  'lambdas/ingress': [
    'lambdas/worker',
    'lambdas/store',
    'lambdas/queue',
    'engine/models',
    'engine/memory',
    'engine/snapshot',
    'engine/backends',
    'engine/devices',
  ],
  cli: [
    'lambdas/store',
    'lambdas/queue',
    'lambdas/worker',
    'lambdas/ingress',
    'engine/models',
    'engine/memory',
    'engine/snapshot',
    'engine/backends',
    'engine/devices',
    'lib/archive', // Layers are packed the same way, whether they become assets or not.
  ],
  'lib/archive': [],
  lib: ['lib/archive'],
  examples: ['lib'],
};

const parts = Object.keys(arrows);
const inEngine = (part: string) => part.startsWith('engine/');
const runsInCloud = (part: string) => part.startsWith('lambdas/') || part === 'cli';
const declares = (part: string) => part === 'lib' || part === 'examples';

/** Packages, and who may import them. */
const packages: Readonly<Record<string, (part: string) => boolean>> = {
  '@aws-sdk/client-dynamodb': runsInCloud,
  '@aws-sdk/client-s3': runsInCloud,
  'aws-cdk-lib': declares,
  'aws-cdk-lib/aws-lambda': declares,
  constructs: declares,
  fs: (part) => !inEngine(part),
  'node:crypto': (part) => !inEngine(part),
  commander: (part) => !inEngine(part),
};

interface Case {
  readonly file: string;
  readonly description: string;
  readonly allowed: boolean;
  readonly text: string;
}

/** Every way to write an import; which one a case takes does not matter to the rule, and must not. */
const forms = [
  (from: string) => `import { thing } from '${from}';\nexport const other = thing;\n`,
  (from: string) => `import type { thing } from '${from}';\nexport type Other = typeof thing;\n`,
  (from: string) => `export { thing } from '${from}';\n`,
  (from: string) => `export const other = import('${from}');\n`,
];

const cases: Case[] = [];
for (const [index, part] of parts.entries()) {
  const add = (name: string, from: string, allowed: boolean) => {
    const text = forms[(index + cases.length) % forms.length](from);
    const file = `${part}/deep/imports-${name.replace(/\W+/g, '-')}.ts`;
    cases.push({ file, description: `${part} imports ${name}`, allowed, text });
  };
  for (const target of parts) {
    const from = path.posix.relative(`${part}/deep`, `${target}/deep/thing`);
    add(target, from.startsWith('.') ? from : `./${from}`, target === part || arrows[part].includes(target));
  }
  for (const [name, may] of Object.entries(packages)) add(name, name, may(part));
}

/** Lints the tree in a process of its own: ESLint loads its configuration as an ES module, which Jest cannot. */
const lint = `
  const { ESLint } = require(${JSON.stringify(path.join(repository, 'node_modules/eslint'))});
  const eslint = new ESLint({
    overrideConfigFile: ${JSON.stringify(path.join(repository, 'eslint.config.mjs'))},
    overrideConfig: { languageOptions: { parserOptions: { projectService: false } }, linterOptions: { reportUnusedDisableDirectives: 'off' } },
    ruleFilter: ({ ruleId }) => ruleId.startsWith('boundaries/'),
  });
  eslint.lintFiles(['**/imports-*.ts']).then((results) => {
    console.log(JSON.stringify(results.map(({ filePath, messages }) => ({ filePath, rules: messages.map(({ ruleId, message }) => ruleId ?? message) }))));
  });
`;

let found: Map<string, string[]>;

beforeAll(() => {
  const tree = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'arrows-')));
  try {
    fs.symlinkSync(fs.realpathSync(path.join(repository, 'node_modules')), path.join(tree, 'node_modules'));
    for (const part of parts) {
      fs.mkdirSync(path.join(tree, part, 'deep'), { recursive: true });
      fs.writeFileSync(path.join(tree, part, 'deep/thing.ts'), 'export const thing = 1;\n');
    }
    for (const { file, text } of cases) fs.writeFileSync(path.join(tree, file), text);
    const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', lint], {
      cwd: tree,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    const results = JSON.parse(stdout) as { filePath: string; rules: string[] }[];
    found = new Map(results.map(({ filePath, rules }) => [path.relative(tree, filePath), rules]));
  } finally {
    fs.rmSync(tree, { recursive: true, force: true });
  }
}, 60_000);

test('every pair of parts was looked at', () => {
  expect([...found.keys()].sort()).toEqual(cases.map(({ file }) => file).sort());
});

test.each(parts)('%s imports what is below it, and nothing else', (part) => {
  const expected = cases.filter(({ file }) => file.startsWith(`${part}/deep/`));
  expect(expected.length).toBe(parts.length + Object.keys(packages).length);
  const verdicts = expected.map(({ file, description }) => {
    const rules = found.get(file)!;
    return `${description}: ${rules.length === 0 ? 'fine' : rules.join(', ')}`;
  });
  expect(verdicts).toEqual(
    expected.map(
      ({ description, allowed }) => `${description}: ${allowed ? 'fine' : 'boundaries/dependencies'}`,
    ),
  );
});
