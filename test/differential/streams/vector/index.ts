import type { Stream } from '../../program';
import { arithmeticStreams, configurationStream, reservedStream } from './arithmetic';
import { memoryStream, pagedMemoryStream } from './memory';

/** The V extension, a stream a family. */
export const vectorStreams: readonly Stream[] = [
  configurationStream,
  ...arithmeticStreams,
  memoryStream,
  pagedMemoryStream,
  reservedStream,
];
