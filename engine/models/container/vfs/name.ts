/**
 * File names and paths are bytes to Linux, in whatever encoding. They are
 * held as strings of one character a byte (0 to 255), so that every name is
 * kept as it is, compares quickly and, being ASCII mostly, reads as itself.
 */
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8');

/** A name or path, one character a byte. */
export type ByteString = string;

export const fromBytes = (bytes: Uint8Array): ByteString => {
  let name = '';
  for (const byte of bytes) name += String.fromCharCode(byte);
  return name;
};

export const toBytes = (name: ByteString): Uint8Array =>
  Uint8Array.from(name, (character) => character.charCodeAt(0));

/** Unicode text as the bytes of its UTF-8. */
export const fromText = (text: string): ByteString => fromBytes(encoder.encode(text));

/** For messages: the name's bytes read as UTF-8. */
export const toText = (name: ByteString): string => decoder.decode(toBytes(name));

/** Bytes at most, without the terminating zero: limits.h. */
export const NAME_MAX = 255;
/** Bytes at most, with the terminating zero. */
export const PATH_MAX = 4096;
