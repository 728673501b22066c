/** Reads the files that a guest is made of from this machine. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ImageFile } from '../engine/models/guest';
import { isTarHeader, writeTar } from '../lib/archive/tar';
import { UsageError } from './usage-error';

export interface LoadedFile {
  readonly image: ImageFile;
  readonly bytes: Uint8Array;
}

/** @throws UsageError when there is no such readable, non-empty file. */
export function loadFile(what: string, path: string): LoadedFile {
  return loaded(path, readBytes(what, path), what);
}

/** @throws UsageError when it cannot be written. */
export function saveFile(what: string, path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    throw new UsageError(
      `${what} ${path} cannot be written (${(error as Error).message}); give another place`,
    );
  }
}

/** A layer of a container: a tar archive, or a directory that becomes one. @throws UsageError */
export function loadLayer(what: string, path: string): LoadedFile {
  if (!existsSync(path)) throw new UsageError(`${what} ${path} does not exist; check the path`);
  if (statSync(path).isDirectory()) return loaded(path, packDirectory(what, path), what);
  const file = loadFile(what, path);
  if (isTarHeader(file.bytes)) return file;
  throw new UsageError(
    `${what} ${path} is no uncompressed tar archive; decompress it, or give the directory that it was made from`,
  );
}

function packDirectory(what: string, path: string): Uint8Array {
  const pieces: Uint8Array[] = [];
  try {
    writeTar(path, (piece) => pieces.push(piece));
  } catch (error) {
    throw new UsageError(
      `${what} ${path} cannot be read (${(error as Error).message}); check its permissions`,
    );
  }
  return Buffer.concat(pieces);
}

function loaded(path: string, bytes: Uint8Array, what: string): LoadedFile {
  if (bytes.length === 0) throw new UsageError(`${what} ${path} is empty; give another file`);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { image: { key: path, name: basename(path), sha256, size: bytes.length }, bytes };
}

function readBytes(what: string, path: string): Uint8Array {
  if (!existsSync(path)) throw new UsageError(`${what} ${path} does not exist; check the path`);
  if (!statSync(path).isFile()) throw new UsageError(`${what} ${path} is no file; check the path`);
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(
      `${what} ${path} cannot be read (${(error as Error).message}); check its permissions`,
    );
  }
}

/**
 * Where distributions put OpenSBI for QEMU's `virt` machine, in the order of preference: fw_dynamic is told where
 * the kernel lies, fw_jump assumes an address.
 */
const FIRMWARE_PLACES = [
  join('.cache', 'images', 'fw_dynamic.bin'),
  '/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin',
  '/usr/share/qemu/opensbi-riscv64-generic-fw_dynamic.bin',
  join('.cache', 'images', 'fw_jump.bin'),
  '/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.bin',
];

/** @throws UsageError when none of the places has it. */
export function defaultFirmware(places: readonly string[] = FIRMWARE_PLACES): string {
  const found = places.find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new UsageError(
    `no firmware found (looked for ${places.join(', ')}); ` +
      'give --firmware FILE, install the package opensbi, or say --firmware none',
  );
}
