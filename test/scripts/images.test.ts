import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parsePackageRecord } from '../../scripts/images/apt';
import { appletNames } from '../../scripts/images/busybox';
import { debianMirror, parseDeb822Sources, parseOneLineSources } from '../../scripts/images/debian-sources';
import { ImagesError } from '../../scripts/images/errors';
import { fetchImages } from '../../scripts/images/fetch';
import { initramfs } from '../../scripts/images/initramfs';

/** As much of a busybox binary as matters: other strings, then the block of applet names. */
const busybox = Buffer.from(
  '\x7fELF..\0mount\0\0[\0[[\0cat\0mount\0poweroff\0setsid\0sh\0\0/var/log\0',
  'latin1',
);

describe('the mirror in the system’s apt sources', () => {
  test('deb822: comments, continued lines, several paragraphs; security and other vendors are passed over', () => {
    const text = `# made by the installer
Types: deb
# a comment inside
URIs: http://security.example/debian-security
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs:
 http://mirror.example/debian/
 http://second.example/debian
Suites: trixie
 trixie-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: trixie
Components: main
`;
    const sources = parseDeb822Sources(text);
    expect(sources.map(({ uri }) => uri)).not.toContain('http://off.example/debian');
    expect(sources[1]).toMatchObject({
      suites: ['trixie', 'trixie-updates'],
      components: ['main', 'contrib'],
    });
    expect(debianMirror(sources)).toBe('http://mirror.example/debian');
  });

  test('one-line form: options, trailing comments, source lines', () => {
    const sources = parseOneLineSources(`
#deb http://commented.example/debian trixie main
deb-src http://source.example/debian trixie main
deb [arch=amd64 signed-by=/etc/apt/keyrings/vendor.gpg] https://vendor.example/linux/debian trixie main
deb http://mirror.example/debian trixie main non-free # local`);
    expect(sources.map(({ components }) => components)).toEqual([['main'], ['main', 'non-free']]);
    expect(sources[0]?.signedBy).toBe('/etc/apt/keyrings/vendor.gpg');
    expect(debianMirror(sources)).toBe('http://mirror.example/debian');
  });

  test('a system of another vendor has none', () => {
    expect(
      debianMirror(parseOneLineSources('deb http://archive.ubuntu.com/ubuntu noble main')),
    ).toBeUndefined();
  });
});

test('a package record: names of dependencies without versions, alternatives each', () => {
  const record = `Package: linux-image-x
Version: 7.2-1
Architecture: riscv64
Depends: dracut | initramfs-tools (>= 0.1), linux-binary-x (= 7.2-1), perl:any
Description: kernel
 Package: not this
Size: 12
SHA256: ab

Package: second
`;
  expect(parsePackageRecord(record)).toEqual({
    name: 'linux-image-x',
    version: '7.2-1',
    architecture: 'riscv64',
    depends: ['dracut', 'initramfs-tools', 'linux-binary-x', 'perl'],
    size: 12,
    sha256: 'ab',
  });
  expect(parsePackageRecord('Package: x\nVersion: 1\n')).toBeUndefined();
});

test('applets are read from the binary, and a binary without them is refused', () => {
  expect(appletNames(busybox)).toEqual(['[', '[[', 'cat', 'mount', 'poweroff', 'setsid', 'sh']);
  expect(() => appletNames(Buffer.from('\x7fELF'))).toThrow(/no list of applets/);
});

test('the initramfs: same input, same bytes; what init calls is there', () => {
  const archive = initramfs(busybox);
  expect(Buffer.from(initramfs(busybox)).equals(Buffer.from(archive))).toBe(true);
  const text = gunzipSync(archive).toString('latin1');
  for (const path of ['init', 'dev/console', 'bin/poweroff', 'bin/sh', 'etc/run/poweroff']) {
    expect(text).toContain(`${path}\0`);
  }
  expect(text).toContain('userspace reached');
});

describe('images that cannot be had', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'images-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  /** What fetching says on a machine whose PATH is an empty folder, but for the programs named. */
  function refusal(programs: readonly string[], keyring?: string): ImagesError {
    for (const program of programs) writeFileSync(join(directory, program), '');
    const path = process.env['PATH'];
    process.env['PATH'] = directory;
    try {
      fetchImages({ directory, say: () => undefined, ...(keyring && { keyring }) });
    } catch (error) {
      if (error instanceof ImagesError) return error;
      throw error;
    } finally {
      process.env['PATH'] = path;
    }
    throw new Error('nothing was refused');
  }

  test('without apt: one message with the fix, and the exit code by which a test run skips', () => {
    const error = refusal(['apt-cache']);
    expect(error.message).toMatch(/apt-get and dpkg-deb are not installed.*on Debian/);
    expect(error.exitCode).toBe(69);
  });

  test('without the keyring nothing is fetched', () => {
    const error = refusal(['apt-get', 'apt-cache', 'dpkg-deb'], join(directory, 'none.gpg'));
    expect(error.message).toMatch(/no keyring .*none\.gpg.*debian-archive-keyring.*--keyring/);
  });
});
