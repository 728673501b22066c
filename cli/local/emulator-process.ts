/** Starts and stops the process of `emulators.mts`. */
import { once } from 'node:events';
import { forkModule } from './children';
import { LocalCloudError } from './errors';

export interface EmulatorProcess {
  readonly endpoints: { readonly dynamodb: string; readonly sqs: string; readonly s3: string };
  stop(): Promise<void>;
}

export async function startEmulators(region: string): Promise<EmulatorProcess> {
  const child = forkModule('emulators', {
    env: {
      PATH: process.env['PATH'],
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
    },
  });
  let complaint = '';
  child.stderr?.on('data', (bytes: Buffer) => (complaint = (complaint + bytes.toString()).slice(-2000)));
  child.stdout?.resume();
  const endpoints = await new Promise<EmulatorProcess['endpoints']>((resolve, reject) => {
    child.once('message', (message) => resolve(message as EmulatorProcess['endpoints']));
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(
        new LocalCloudError(`the DynamoDB and SQS servers ended at start (${signal ?? code}): ${complaint}`),
      ),
    );
  });
  return {
    endpoints,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL'); // all its state is in memory: nothing to save
      await gone;
    },
  };
}
