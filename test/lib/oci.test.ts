/** Layers: what tar itself reads from our archives, the same bytes for the same files, and what is refused. */
import { execFileSync } from 'child_process';
import * as fc from 'fast-check';
import * as fs from 'fs';
import * as path from 'path';
import { OciImage } from '../../lib';
import { isTarHeader, writeTar } from '../../lib/archive/tar';
import { describeWith, program } from '../requirement';
import { file, MEBIBYTE, tree } from './fixtures';

function archive(directory: string): Buffer {
  const pieces: Uint8Array[] = [];
  writeTar(directory, (bytes) => pieces.push(bytes));
  return Buffer.concat(pieces);
}

const tar = (input: Buffer, ...args: string[]): Buffer =>
  execFileSync('tar', args, { input, maxBuffer: 8 * MEBIBYTE });

describeWith([program('tar', 'tar')], 'an archive of a directory', () => {
  const long = `${'d'.repeat(60)}/${'e'.repeat(60)}`;
  const deep = `${'d'.repeat(150)}/${'e'.repeat(150)}/name`;
  const directory = tree('everything', {
    'b/file': 'contents',
    'b.txt': Buffer.alloc(513, 7),
    large: Buffer.alloc(2.5 * MEBIBYTE, 'as large as several pieces'),
    empty: '',
    'ä ö/ü': 'umlaut',
    [long]: 'prefix',
    [deep]: 'pax',
  });
  fs.mkdirSync(path.join(directory, 'nothing'));
  fs.symlinkSync('b/file', path.join(directory, 'link'));
  fs.symlinkSync('x'.repeat(150), path.join(directory, 'long-link'));
  fs.linkSync(path.join(directory, 'b/file'), path.join(directory, 'twin'));
  fs.chmodSync(path.join(directory, 'b.txt'), 0o4751);
  fs.chmodSync(path.join(directory, 'nothing'), 0o700);
  execFileSync('mkfifo', ['-m', '600', path.join(directory, 'pipe')]);

  test('is what tar understands, with root as owner and no times', () => {
    const listing = tar(
      archive(directory),
      '-tvf',
      '-',
      '--numeric-owner',
      '--utc',
      '--quoting-style=literal',
    ).toString();
    const lines = listing
      .trim()
      .split('\n')
      .map((line) => line.replace(/ +/g, ' '));
    expect(lines.every((line) => line.includes(' 0/0 ') && line.includes(' 1970-01-01 00:00 '))).toBe(true);
    const at = (name: string) => lines.find((line) => line.endsWith(name));
    expect(at(' b.txt')).toMatch(/^-rwsr-x--x 0\/0 513 /);
    expect(at(' nothing/')).toMatch(/^drwx------ /);
    expect(at(' link -> b/file')).toMatch(/^l/);
    expect(at(` long-link -> ${'x'.repeat(150)}`)).toMatch(/^l/);
    expect(at(' twin link to b/file')).toMatch(/^h/);
    expect(at(' pipe')).toMatch(/^prw------- /);
    expect(at(` ${long}`)).toBeDefined();
    expect(at(` ${deep}`)).toBeDefined();
    const place = (name: string) => lines.findIndex((line) => line.endsWith(name));
    expect(place(' b/')).toBeLessThan(place(' b/file'));
  });

  test('has the contents of the files', () => {
    const bytes = archive(directory);
    for (const name of ['b/file', 'b.txt', 'large', 'empty', 'ä ö/ü', long, deep]) {
      const extracted = tar(bytes, '-xOf', '-', name);
      expect(extracted.equals(fs.readFileSync(path.join(directory, name)))).toBe(true);
    }
  });

  test('names of any length survive', () => {
    const part = fc.string({
      unit: fc.constantFrom('a', 'B', '.', ' ', 'é', '漢'),
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const names = parts.map((each) => `n${each}`);
        const name = names.join('/');
        const bytes = archive(tree(`names-${count++}`, { [name]: name }));
        expect(tar(bytes, '-xOf', '-', name).toString()).toBe(name);
      }),
      { numRuns: 20 },
    );
  });

  test('is the same for the same files, whenever and in whatever order they were made', () => {
    const one = tree('one', { a: '1', 'b/c': '2', 'b/d': '3' });
    const other = tree('other', { 'b/d': '3', 'b/c': '2', a: '1' });
    fs.utimesSync(path.join(other, 'a'), 5, 5);
    expect(archive(one).equals(archive(other))).toBe(true);
    fs.writeFileSync(path.join(other, 'a'), '2');
    expect(archive(one).equals(archive(other))).toBe(false);
  });

  test("and tar's own archives are told from other files", () => {
    for (const format of ['v7', 'ustar', 'gnu', 'pax']) {
      const bytes = execFileSync('tar', ['-cf', '-', `--format=${format}`, '-C', directory, 'b']);
      expect({ format, tar: isTarHeader(bytes) }).toEqual({ format, tar: true });
    }
    expect(isTarHeader(archive(directory))).toBe(true);
    expect(isTarHeader(Buffer.alloc(512))).toBe(false);
    expect(isTarHeader(Buffer.alloc(512, 0x31))).toBe(false);
    expect(isTarHeader(Buffer.alloc(100))).toBe(false);
  });
});

let count = 0;

describe('an image of layers refuses', () => {
  test.each<[string, () => OciImage, RegExp]>([
    ['a directory that is not there', () => OciImage.fromDirectory('/no/root'), /^directory "\/no\/root": there is no directory \/no\/root\. /],
    ['a file for a directory', () => OciImage.fromDirectory(file('f', 'x')), /is no directory\. Use OciImage\.fromTar for a tar archive\.$/],
    ['an empty directory', () => OciImage.fromDirectory(tree('void', {})), /is empty\. Put the files of the container into it\.$/],
    ['no layers', () => OciImage.fromTar(), /^OciImage\.fromTar: an image has at least one layer\. /],
    ['a layer that is not there', () => OciImage.fromTar('/no/layer.tar'), /^layer "\/no\/layer\.tar": there is no file/],
    ['a layer that is no archive', () => OciImage.fromTar(file('text', 'x'.repeat(600))), /^layer ".*text": this is no tar archive\. Make one: /],
    ['a compressed layer', () => OciImage.fromTar(file('l.tar.gz', Buffer.from([0x1f, 0x8b, 8, 0]))), /this is compressed with gzip, and layers are plain tar archives\. Decompress it first: gunzip < FILE > FILE\.tar\.$/],
  ])('%s', (_, declare, message) => expect(declare).toThrow(message)); // prettier-ignore
});
