/** All system calls that are there. */
import { descriptors } from './descriptors';
import { directories } from './directories';
import { epoll } from './epoll';
import { files } from './files';
import { futexes } from './futexes';
import { identity } from './identity';
import { ipc } from './ipc';
import { memory } from './memory';
import { polling } from './polling';
import { processes } from './processes';
import { resources } from './resources';
import { signals } from './signals';
import { status } from './status';
import { system } from './system';
import type { SystemCall } from './table';
import { time } from './time';

export const systemCalls: readonly SystemCall[] = [
  ...files,
  ...descriptors,
  ...directories,
  ...status,
  ...polling,
  ...epoll,
  ...ipc,
  ...memory,
  ...processes,
  ...identity,
  ...signals,
  ...futexes,
  ...time,
  ...resources,
  ...system,
];
