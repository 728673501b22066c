import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedDocuments } from '../../scripts/docs/documents';

test('the generated documents are those of the code: if not, `npm run docs`', () => {
  for (const [name, text] of generatedDocuments()) {
    expect(readFileSync(join(__dirname, '../../docs', name), 'utf8')).toBe(text);
  }
});
