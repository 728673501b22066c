/** How the kernel's objects are saved. Objects that several share stand in lists of their own and are named by index. */
import {
  type Field,
  bool,
  bytes,
  bytesOf,
  count,
  list,
  listOf,
  nested,
  optional,
  record,
  text,
  u16,
  u32,
  u64,
  u8,
} from '../../../snapshot/codec';
import { CONTEXT_SIZE } from '../../../cpu/context';
import { TERMIOS_SIZE } from '../tty/termios';

/** Signed 32 bits. */
export const i32: Field<number> = {
  minimumSize: 4,
  write: (out, value) => u32.write(out, value >>> 0),
  read: (input) => u32.read(input) | 0,
};

/** A file by where it lies: `parent` 0 when it has no name. */
export const location = nested({ mount: count, ino: count, parent: count, name: text });

export const description = nested({
  kind: text,
  flags: u32,
  offset: count,
  location: optional(location),
  /** Of what has no place. */
  id: count,
  value: u64,
  /** Of a socket: the pipes in and out. */
  pipes: list(count),
});
/** `name`: under which a FIFO's ends find it. */
export const pipe = nested({ id: count, capacity: count, name: optional(text), contents: bytes });
/** What an epoll set holds, by the set's id. */
export const epollSet = nested({
  id: count,
  interests: list(nested({ fd: u32, description: u32, events: u32, data: u64, armed: bool })),
});
export const sharedObject = nested({
  id: count,
  description: optional(u32),
  pages: list(nested({ page: count, frame: u32 })),
});
export const addressSpace = nested({
  root: u32,
  breakStart: count,
  break: count,
  areas: list(
    nested({
      start: count,
      end: count,
      prot: u8,
      description: optional(u32),
      object: optional(count),
      offset: count,
      label: text,
    }),
  ),
});
export const fileTable = list(nested({ fd: u32, description: u32, closeOnExec: bool }));
export const fileContext = nested({ root: location, cwd: location, umask: u16 });
export const signalActions = list(nested({ signal: u8, handler: count, flags: u32, mask: u64 }));
export const pending = list(nested({ signal: u8, code: i32, pid: i32, uid: i32, value: u64 }));
export const process = nested({
  pid: u32,
  parent: u32,
  group: u32,
  session: u32,
  exitStatus: optional(u32),
  exiting: bool,
  stopped: bool,
  report: optional(u32),
  timer: optional(nested({ deadline: u64, interval: u64 })),
  spentSteps: u64,
  childSteps: u64,
  limits: list(nested({ resource: u8, current: u64, maximum: u64 })),
  command: text,
  commandLine: bytes,
  environment: bytes,
  auxiliary: bytes,
  executable: optional(u32),
  exitSignal: u8,
  started: u64,
  subreaper: bool,
  children: list(u32),
  pending,
});
export const wait = nested({
  kind: u8,
  files: optional(list(nested({ fd: i32, events: u32 }))),
  children: optional(nested({ type: u8, id: i32, options: u32 })),
  futex: optional(nested({ key: text, bits: u32 })),
  signals: optional(u64),
  deadline: optional(u64),
  restart: bool,
  remainder: optional(count),
});
export const callState = nested({
  deadline: optional(u64),
  progress: count,
  woken: bool,
  savedMask: optional(u64),
});
export const credentials = nested({
  uid: u32,
  euid: u32,
  suid: u32,
  fsuid: u32,
  gid: u32,
  egid: u32,
  sgid: u32,
  fsgid: u32,
  groups: list(u32),
});
export const task = nested({
  tid: u32,
  process: u32,
  space: u32,
  files: u32,
  fileContext: u32,
  actions: u32,
  credentials,
  state: u8,
  context: bytesOf(CONTEXT_SIZE),
  blocked: u64,
  pending,
  alternateStack: nested({ address: count, size: count, flags: u32 }),
  clearChildTid: count,
  robustList: count,
  steps: u64,
  name: text,
  vforkParent: u32,
  parentDeathSignal: u8,
  wait: optional(wait),
  call: optional(callState),
  interrupted: optional(wait),
});
export const terminal = nested({
  termios: bytesOf(TERMIOS_SIZE),
  windowSize: listOf(4, u16),
  foreground: u32,
  session: u32,
  line: bytes,
  waiting: list(bytes),
});

export const kernelLayout = record('container-kernel', 2, {
  hart: bytes,
  fileSystems: list(bytes),
  nextPid: u32,
  nextId: count,
  loaded: u32,
  turnEnd: count,
  epoch: u64,
  hostname: text,
  domainName: text,
  halted: optional(nested({ failure: bool, code: u8 })),
  terminal,
  counters: list(nested({ name: text, count })),
  descriptions: list(description),
  pipes: list(pipe),
  epollSets: list(epollSet),
  objects: list(sharedObject),
  spaces: list(addressSpace),
  fileTables: list(fileTable),
  fileContexts: list(fileContext),
  actions: list(signalActions),
  processes: list(process),
  tasks: list(task),
  queue: list(u32),
});

export type Saved<F> = F extends Field<infer T> ? T : never;
