// What the compiler does not check: types used with care, and imports that point downward only.
import { defineConfig } from 'eslint/config';
import boundaries from 'eslint-plugin-boundaries';
import tseslint from 'typescript-eslint';

/** Packages by who may import them; `node` stands for Node's own modules. */
const cdk = ['aws-cdk-lib', 'aws-cdk-lib/**', 'constructs'];
const sdk = ['@aws-sdk/*', '@smithy/*'];

/**
 * The arrows of the design (docs and tests name them so): each part of the tree, where it lies, and the parts that
 * it may import besides itself. More specific folders come first.
 */
const parts = {
  wasm: { folder: 'engine/wasm', imports: [] },
  memory: { folder: 'engine/memory', imports: [] },
  snapshot: { folder: 'engine/snapshot', imports: [] },
  devicetree: { folder: 'engine/devicetree', imports: [] },
  isa: { folder: 'engine/isa', imports: ['wasm'] },
  cpu: { folder: 'engine/cpu', imports: ['isa', 'memory', 'wasm', 'snapshot', 'generated'] },
  generated: { folder: 'engine/generated', imports: [] },
  devices: { folder: 'engine/devices', imports: ['memory', 'snapshot', 'devicetree'] },
  backends: { folder: 'engine/backends', imports: ['devices', 'memory', 'snapshot'] },
  models: {
    folder: 'engine/models',
    imports: ['devices', 'backends', 'cpu', 'isa', 'devicetree', 'memory', 'snapshot', 'wasm'],
  },
  store: { folder: 'lambdas/store', imports: ['models', 'memory', 'snapshot'] },
  surroundings: { folder: 'lambdas/surroundings', imports: ['models', 'cpu'] },
  queue: { folder: 'lambdas/queue', imports: ['store', 'surroundings'] },
  lambdas: {
    folder: 'lambdas',
    imports: ['store', 'queue', 'surroundings', 'models', 'memory', 'snapshot', 'backends', 'devices'],
  },
  cli: {
    folder: 'cli',
    imports: [
      'lambdas',
      'store',
      'queue',
      'surroundings',
      'models',
      'memory',
      'snapshot',
      'backends',
      'devices',
      'archive',
    ],
  },
  archive: { folder: 'lib/archive', imports: [] },
  lib: { folder: 'lib', imports: ['archive'] },
  examples: { folder: 'examples', imports: ['lib'] },
};

const engine = Object.keys(parts).filter((part) => parts[part].folder.startsWith('engine/'));
const elements = Object.entries(parts).map(([type, { folder }]) => ({
  type,
  pattern: folder,
}));

const module = (origin, source) => ({ to: { module: { origin, ...(source && { source }) } } });

export default defineConfig(
  {
    ignores: [
      'dist/**',
      'cdk.out/**',
      'coverage/**',
      '.cache/**',
      'node_modules/**',
      'engine/generated/**',
      // AssemblyScript looks like TypeScript and is another language.
      'engine/cpu/assembly/**',
    ],
  },
  {
    files: ['**/*.ts', '**/*.mts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // An interface without members of its own gives a concept its name: IVirtualMachine.
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // Elements of arrays may be marked as present for the reader, though the compiler does not ask for it.
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      // An implementation in memory of an asynchronous interface awaits nothing.
      '@typescript-eslint/require-await': 'off',
      // Interfaces are often records of closures; classes that are not say so by using `this`.
      '@typescript-eslint/unbound-method': 'off',
      // String(value) shows what is not known in messages.
      '@typescript-eslint/no-base-to-string': 'off',
      // The form for CommonJS modules whose export is one function.
      '@typescript-eslint/no-require-imports': ['error', { allowAsImport: true }],
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ExportDefaultDeclaration',
          message: 'Export by name: a default export has no name to search for.',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Jest's matchers are `any` by declaration.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    files: elements.flatMap(({ pattern }) => [`${pattern}/**/*.ts`, `${pattern}/**/*.mts`]),
    plugins: { boundaries },
    settings: {
      'boundaries/elements': elements,
      'boundaries/dependency-nodes': ['import', 'dynamic-import', 'export', 'require'],
      'import/resolver': { typescript: true, node: true },
    },
    rules: {
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          checkAllOrigins: true,
          checkUnknownLocals: true,
          policies: [
            ...Object.entries(parts).map(([type, { imports }]) => ({
              from: { element: { type } },
              allow: { to: { element: { types: { anyOf: [type, ...imports] } } } },
            })),
            // Outside the engine: any package but those with an owner. The engine is given what it needs.
            { from: { element: { types: { noneOf: engine } } }, allow: module(['external', 'core']) },
            {
              from: { element: { types: { noneOf: ['lib', 'examples'] } } },
              disallow: module('external', cdk),
            },
            {
              from: { element: { types: { noneOf: ['store', 'queue', 'lambdas', 'cli'] } } },
              disallow: module('external', sdk),
            },
          ],
        },
      ],
    },
  },
);
