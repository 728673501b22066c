/** Temporary files of worker processes: a directory for each, as each of Lambda's environments has a /tmp of its own. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Scratch {
  private readonly directory = mkdtempSync(join(tmpdir(), 'cdk-hypervisor-local-'));
  private readonly removeAtExit = () => rmSync(this.directory, { recursive: true, force: true });

  constructor() {
    process.on('exit', this.removeAtExit);
  }

  /** An empty directory; `name` must not be in use. */
  create(name: string): string {
    const directory = join(this.directory, name);
    mkdirSync(directory, { recursive: true });
    return directory;
  }

  remove(): void {
    process.off('exit', this.removeAtExit);
    this.removeAtExit();
  }
}
