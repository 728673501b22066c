/** Contents of a regular file: pages of its own over what the image has, holes read as zeros. */
import { PAGE_SIZE } from '../../../../memory/page-space';
import { Errno } from '../../errno';
import type { Pages } from './node';

/** Where pages come from and go. */
export interface PageSource {
  /** @throws Errno ENOSPC */
  allocate(): number;
  free(page: number): void;
  read(page: number): Uint8Array;
  writable(page: number): Uint8Array;
}

/** What of an inode its contents are. */
export interface Contents {
  size: number;
  imageSize: number;
  readonly pages: Pages;
}

/** @param image the image's contents of this file; its first `imageSize` bytes count */
export function readContents(
  source: PageSource,
  { size, imageSize, pages }: Contents,
  image: Uint8Array,
  offset: number,
  into: Uint8Array,
): number {
  const length = Math.min(into.length, Math.max(0, size - offset));
  eachPage(offset, length, (index, start, count, at) => {
    const page = pages.get(index);
    if (page !== undefined) return into.set(source.read(page).subarray(start, start + count), at);
    const from = index * PAGE_SIZE + start;
    const shown = image.subarray(Math.min(from, imageSize), Math.min(from + count, imageSize));
    into.set(shown, at);
    into.fill(0, at + shown.length, at + count);
  });
  return length;
}

/** @returns bytes written: fewer than given when space ran out on the way @throws Errno ENOSPC when none could be written */
export function writeContents(
  source: PageSource,
  contents: Contents,
  image: Uint8Array,
  offset: number,
  from: Uint8Array,
): number {
  let written = 0;
  try {
    eachPage(offset, from.length, (index, start, count, at) => {
      const page = ownPage(source, contents, image, index);
      source.writable(page).set(from.subarray(at, at + count), start);
      written = at + count;
    });
  } catch (error) {
    if (written === 0 || !(error instanceof Errno)) throw error;
  }
  contents.size = Math.max(contents.size, offset + written);
  return written;
}

export function resizeContents(source: PageSource, contents: Contents, size: number): void {
  if (size < contents.size) {
    const kept = Math.ceil(size / PAGE_SIZE);
    for (const [index, page] of contents.pages) {
      if (index < kept) continue;
      contents.pages.delete(index);
      source.free(page);
    }
    // What lies behind the end must read as zeros should the file grow again.
    const last = contents.pages.get(kept - 1);
    if (last !== undefined && size % PAGE_SIZE !== 0) source.writable(last).fill(0, size % PAGE_SIZE);
    contents.imageSize = Math.min(contents.imageSize, size);
  }
  contents.size = size;
}

/** Pages that hold something: of its own, and of the image where it shows. */
export function pagesHeld({ imageSize, pages }: Contents): number {
  const imagePages = Math.ceil(imageSize / PAGE_SIZE);
  if (imagePages === 0) return pages.size;
  let held = imagePages;
  for (const index of pages.keys()) if (index >= imagePages) held++;
  return held;
}

function ownPage(
  source: PageSource,
  { imageSize, pages }: Contents,
  image: Uint8Array,
  index: number,
): number {
  const existing = pages.get(index);
  if (existing !== undefined) return existing;
  const page = source.allocate();
  const start = index * PAGE_SIZE;
  if (start < imageSize)
    source.writable(page).set(image.subarray(start, Math.min(start + PAGE_SIZE, imageSize)));
  pages.set(index, page);
  return page;
}

/** Cuts a range at page borders. `at`: bytes of the range that lie before the piece. */
function eachPage(
  offset: number,
  length: number,
  visit: (index: number, start: number, count: number, at: number) => void,
): void {
  for (let at = 0; at < length;) {
    const start = (offset + at) % PAGE_SIZE;
    const count = Math.min(PAGE_SIZE - start, length - at);
    visit((offset + at - start) / PAGE_SIZE, start, count, at);
    at += count;
  }
}
