/** Runs `cdk synth` on an example, as a user would, and returns the assembly's directory. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DemoError } from './errors';

const ROOT = join(__dirname, '..', '..');

export interface Synthesis {
  /** Folder below examples/. */
  readonly example: string;
  /** Files that the example takes from the folder of images. */
  readonly needs: readonly string[];
  readonly images: string;
  /** Where the assembly goes. */
  readonly output: string;
}

/** @throws DemoError when an image is missing, or the example cannot be synthesized. */
export async function synthesize({ example, needs, images, output }: Synthesis): Promise<string> {
  const missing = needs.find((name) => !existsSync(join(images, name)));
  if (missing !== undefined) {
    throw new DemoError(`${join(images, missing)} is missing; run "npm run images" first`);
  }
  const args = [
    ...[join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk'), 'synth', '--quiet', '--output', output],
    ...['--app', `node --import tsx examples/${example}/app.ts`],
    ...['--no-notices', '--no-version-reporting', '--no-lookups', '--context', `images=${resolve(images)}`],
  ];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true', CI: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const status = await new Promise((settle, reject) => {
    child.once('error', reject);
    child.once('close', settle);
  });
  if (status !== 0)
    throw new DemoError(`cdk synth of examples/${example} failed (${String(status)}):\n${said.trim()}`);
  return output;
}
