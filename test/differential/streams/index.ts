import type { Stream } from '../program';
import { a } from './atomic';
import { zba, zbb, zbc, zbkb, zbs, zicond } from './bitmanip';
import { cacheBlocks, cacheBlocksPaged } from './cache-blocks';
import { c } from './compressed';
import { environment } from './environment';
import { d, f, zfa, zfh, zfhmin } from './floating';
import { illegal } from './illegal';
import { controlFlowStream, m, memory, rv64i } from './integer';
import { lockdown } from './lockdown';
import { pagingStream } from './paging';
import { privilege, zicsr } from './privileged';
import { protection } from './protection';
import { vectorStreams } from './vector';
import { translation } from './translation';
import { hints, mayBe, zacas, zawrs, zcb } from './scalar';

/** Every kind of random program. A new extension is one more row. */
export const streams: readonly Stream[] = [
  rv64i, controlFlowStream, memory, m, a, f, d, c, zba, zbb, zbs, zicsr, privilege, illegal, pagingStream, protection,
  ...vectorStreams,
  translation, environment, lockdown,
  zbc, zbkb, zicond, mayBe, zcb, hints, zacas, zawrs, zfhmin, zfh, zfa, cacheBlocks, cacheBlocksPaged,
]; // prettier-ignore
