/**
 * `npm run images`: the kernel, firmware and initramfs of the example guest, in .cache/images/; with --reference, the
 * newer QEMU of the differential tests, in .cache/reference/; with --judge, Debian's programs that check themselves, in
 * .cache/judge/.
 * Exit codes: 0 there, 69 not to be had on this machine, 65 refused, 64 wrong usage (sysexits.h).
 */
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ImagesError } from './images/errors';
import { fetchImages } from './images/fetch';
import { fetchJudge } from './images/judge';
import { fetchReference } from './images/reference';

const usage = `usage: npm run images -- [--suite NAME]... [--mirror URI] [--keyring FILE] [--reference | --judge] [--refresh] [--json] [--quiet]
  --suite    Debian suite to take the packages from; may be repeated (default: forky, then sid)
  --mirror   mirror of the Debian archive (default: the one in the system's apt sources)
  --keyring  keyring that the archive's signature is checked with
  --reference  get a newer QEMU and binutils for the differential tests instead of images
  --judge    get programs that check themselves, for the guest tests of test:full, instead of images
  --refresh  look for newer packages though the images are there
  --json     print the manifest on stdout and nothing else
  --quiet    print nothing but errors`;

function main(): number {
  const { values } = parseArgs({
    options: {
      suite: { type: 'string', multiple: true },
      mirror: { type: 'string' },
      keyring: { type: 'string' },
      reference: { type: 'boolean', default: false },
      judge: { type: 'boolean', default: false },
      refresh: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      quiet: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const say = values.json || values.quiet ? () => undefined : (line: string) => console.error(line);
  const [folder, noun, fetch, first] = values.reference
    ? (['reference', 'the reference is', fetchReference, /^qemu-/] as const)
    : values.judge
      ? (['judge', 'the judges are', fetchJudge, /^stress-ng$/] as const)
      : (['images', 'images are', fetchImages, /^linux-/] as const);
  const directory = join(__dirname, '..', '.cache', folder);
  const { manifest, changed } = fetch({
    directory,
    refresh: values.refresh,
    say,
    ...(values.suite && { suites: values.suite }),
    ...(values.mirror && { mirror: values.mirror }),
    ...(values.keyring && { keyring: values.keyring }),
  });
  if (values.json) console.log(JSON.stringify({ directory, ...manifest }, null, 2));
  const main = manifest.packages.find(({ name }) => first.test(name));
  const where = relative(process.cwd(), directory) || '.';
  say(`${changed ? noun : `nothing to do: ${noun}`} in ${where} (${main?.name} ${main?.version})`);
  return 0;
}

try {
  process.exitCode = main();
} catch (error) {
  if (error instanceof ImagesError) {
    console.error(`images: ${error.message}`);
    process.exitCode = error.exitCode;
  } else if (
    error instanceof TypeError &&
    'code' in error &&
    String(error.code).startsWith('ERR_PARSE_ARGS')
  ) {
    console.error(`images: ${error.message}\n${usage}`);
    process.exitCode = 64;
  } else {
    throw error;
  }
}
