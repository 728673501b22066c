import type { Stream } from '../program';
import { a } from './atomic';
import { zba, zbb, zbs } from './bitmanip';
import { c } from './compressed';
import { d, f } from './floating';
import { illegal } from './illegal';
import { controlFlowStream, m, memory, rv64i } from './integer';
import { pagingStream } from './paging';
import { privilege, zicsr } from './privileged';
import { protection } from './protection';
import { vectorStreams } from './vector';

/** Every kind of random program. A new extension is one more row. */
export const streams: readonly Stream[] = [
  rv64i, controlFlowStream, memory, m, a, f, d, c, zba, zbb, zbs, zicsr, privilege, illegal, pagingStream, protection,
  ...vectorStreams,
]; // prettier-ignore
