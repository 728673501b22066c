/** `npm run simulate`: what guests cost and how they queue. Exit codes: 0 done, 64 wrong usage (sysexits.h). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { economics } from './simulate/report';

const usage = `usage: npm run simulate -- [--json] [--write]
  --json   print the results as JSON and nothing else
  --write  also write docs/economics.md and docs/economics.svg`;

const args = process.argv.slice(2);
const unknown = args.find((arg) => !['--json', '--write', '--help'].includes(arg));
if (unknown !== undefined) {
  console.error(`simulate: ${unknown}: no such option\n${usage}`);
  process.exitCode = 64;
} else if (args.includes('--help')) console.log(usage);
else {
  const { document, picture, results } = economics();
  console.log(args.includes('--json') ? JSON.stringify(results, undefined, 2) : document);
  if (args.includes('--write')) {
    const docs = join(__dirname, '..', 'docs');
    writeFileSync(join(docs, 'economics.md'), document);
    writeFileSync(join(docs, 'economics.svg'), picture);
  }
}
