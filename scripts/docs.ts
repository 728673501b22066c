/** `npm run docs`: writes the documents that are tables of the code. A test compares them with it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedDocuments } from './docs/documents';

const folder = join(__dirname, '..', 'docs');

mkdirSync(folder, { recursive: true });
for (const [name, text] of generatedDocuments()) {
  writeFileSync(join(folder, name), text);
  process.stderr.write(`docs/${name}\n`);
}
