/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  // No test is about time, and a shared machine may be slow: the limit is for what hangs.
  testTimeout: 120_000,
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' } }] },
  reporters: ['default', '<rootDir>/scripts/checks/count-reporter.js'],
};
