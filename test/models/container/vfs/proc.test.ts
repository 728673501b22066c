import { FileStore } from '../../../../engine/models/container/fsimpl/file-store';
import { MemoryFileSystem } from '../../../../engine/models/container/fsimpl/memory/file-system';
import { ProcFileSystem } from '../../../../engine/models/container/fsimpl/proc/file-system';
import type { ProcSource, ProcTask } from '../../../../engine/models/container/fsimpl/proc/source';
import { MOUNT, O, S } from '../../../../engine/models/container/vfs/constants';
import { isDirectory, isRegular, isSymlink } from '../../../../engine/models/container/vfs/base-inode';
import type { Inode } from '../../../../engine/models/container/vfs/inode';
import type { Location, Subject } from '../../../../engine/models/container/vfs/location';
import type { OpenFile } from '../../../../engine/models/container/vfs/open-file';
import { errnoOf, narrow, surroundings } from './operations';

const memory = new MemoryFileSystem({ device: 1, store: new FileStore(1024 * 1024), now: () => 0n });
const { vfs, subject } = surroundings(memory);
for (const path of ['proc', 'home', 'home/with blank']) vfs.mkdir(subject, path, 0o755);
const program = narrow(vfs.open(subject, 'home/program', O.CREAT | O.RDWR, 0o755));
program.write(Buffer.from('code'));

let hostname = 'box';
let current = 7;
let randomCalls = 0;

function task(pid: number, more: Partial<ProcTask> = {}): ProcTask {
  const open: Record<number, OpenFile> = { 0: program, 12: program };
  return {
    pid,
    parentPid: 1,
    processGroup: pid,
    session: 1,
    tty: 0,
    foregroundGroup: -1,
    state: 'S',
    comm: 'sh (odd) ',
    uid: 0,
    gid: 0,
    groups: [4, 5],
    umask: 0o022,
    threads: [pid],
    userTicks: 12,
    systemTicks: 3,
    startTicks: 99,
    nice: 0,
    virtualSize: 8192,
    residentPages: 2,
    stackPointer: 0n,
    signals: { pending: 0n, blocked: 0x10000n, ignored: 0n, caught: 2n },
    commandLine: () => Buffer.from('sh\0-c\0'),
    environment: () => Buffer.from('A=b\0'),
    auxiliaryVector: () => new Uint8Array(16),
    mappings: () => [
      {
        start: 0x10000n,
        end: 0x12000n,
        readable: true,
        writable: false,
        executable: true,
        shared: false,
        offset: 0n,
        device: 1,
        ino: 5,
        label: '/home/program',
      },
    ],
    descriptors: () => Object.keys(open).map(Number),
    descriptor: (fd) =>
      open[fd] && { location: open[fd].location, offset: open[fd].offset, flags: open[fd].flags },
    executable: { location: program.location },
    cwd: { location: vfs.resolve(subject, 'home') },
    root: { location: subject.root },
    ...more,
  };
}
const tasks = new Map([
  [1, task(1)],
  [7, task(7, { threads: [7, 8] })],
  [8, task(8, { threads: [7, 8] })],
  [30, task(30, { state: 'Z', executable: undefined, cwd: undefined, root: undefined, uid: 5 })],
]);
const source: ProcSource = {
  currentPid: () => current,
  pids: () => [...tasks.keys()].filter((pid) => pid !== 8),
  task: (pid) => tasks.get(pid),
  namespace: vfs.namespace,
  memory: () => ({ total: 64 << 20, free: 32 << 20, cached: 1 << 20 }),
  uptime: () => ({ up: 12_345_000_000n, idle: 2_000_000_000n }),
  bootTime: () => 1_700_000_000_000_000_000n,
  load: () => ({ averages: [0.5, 0.25, 0], runnable: 1, total: 4, lastPid: 30 }),
  uname: () => ({ sysname: 'Linux', nodename: hostname, release: '6.12.0', version: '#1' }),
  setHostname: (name) => void (hostname = name),
  isa: 'rv64imafdc',
  harts: 1,
  pidLimit: 256,
  fillRandom: (bytes) => void bytes.fill(++randomCalls),
};
const proc = new ProcFileSystem(source, 9);
vfs.namespace.mount(proc, vfs.resolve(subject, 'proc'), { flags: MOUNT.NOSUID | MOUNT.NODEV | MOUNT.NOEXEC });

const at = (path: string, who: Subject = subject): Location => vfs.resolve(who, `proc/${path}`);
function text(path: string, chunk = 4096): string {
  const file = narrow(vfs.open(subject, `proc/${path}`, O.RDONLY));
  const into = new Uint8Array(chunk);
  let read = '';
  for (let count = file.read(into) as number; count > 0; count = file.read(into) as number) {
    read += Buffer.from(into.subarray(0, count)).toString('latin1');
  }
  file.close();
  return read;
}

describe('procfs (proc(5))', () => {
  it('shows the system', () => {
    expect(text('uptime')).toBe('12.34 2.00\n');
    expect(text('loadavg')).toBe('0.50 0.25 0.00 1/4 30\n');
    expect(text('meminfo')).toMatch(/^MemTotal: {10,}65536 kB\nMemFree: {11,}32768 kB\n/);
    expect(text('cpuinfo')).toContain('isa\t\t: rv64imafdc\n');
    expect(text('version')).toBe('Linux version 6.12.0 #1\n');
    expect(text('sys/kernel/osrelease')).toBe('6.12.0\n');
    expect(text('filesystems')).toContain('nodev\tproc\n');
  });

  it('gives a new UUID of version 4 at every reading', () => {
    const one = text('sys/kernel/random/uuid');
    expect(one).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n$/);
    expect(text('sys/kernel/random/uuid')).not.toBe(one);
  });

  it('takes a host name', () => {
    const file = narrow(vfs.open(subject, 'proc/sys/kernel/hostname', O.WRONLY | O.TRUNC));
    file.write(Buffer.from('renamed\n'));
    expect([hostname, text('sys/kernel/hostname')]).toEqual(['renamed', 'renamed\n']);
    expect(errnoOf(() => vfs.open(subject, 'proc/uptime', O.WRONLY))).toBe('EACCES');
  });

  it('shows a process, in pieces as at once', () => {
    for (const name of ['stat', 'status', 'maps', 'mountinfo', 'cmdline']) {
      expect(text(`7/${name}`, 5)).toBe(text(`7/${name}`));
    }
    const stat = text('7/stat');
    expect(stat).toMatch(/^7 \(sh \(odd\) \) S 1 7 1 0 -1 /);
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .trim()
      .split(' ');
    expect(fields).toHaveLength(50); // 52 in all, proc_pid_stat(5)
    expect([fields[11], fields[12], fields[17], fields[19], fields[20], fields[21]]).toEqual([
      '12',
      '3',
      '2',
      '99',
      '8192',
      '2',
    ]);
    expect(text('7/cmdline')).toBe('sh\0-c\0');
    expect(text('7/status')).toMatch(/^Name:\tsh \(odd\) \nUmask:\t0022\nState:\tS \(sleeping\)\n/);
    expect(text('7/status')).toContain('SigBlk:\t0000000000010000\n');
    expect(text('7/maps')).toBe(`${'00010000-00012000 r-xp 00000000 00:01 5'.padEnd(72)} /home/program\n`);
    expect(text('7/fdinfo/0')).toMatch(/^pos:\t4\nflags:\t0102\n/);
  });

  it('shows mounts where the task sees them', () => {
    vfs.namespace.mount(
      new MemoryFileSystem({ device: 4, store: new FileStore(4096), now: () => 0n }),
      vfs.resolve(subject, 'home/with blank'),
    );
    expect(text('mounts')).toBe(
      'tmpfs / tmpfs rw,noatime 0 0\n' +
        'proc /proc proc rw,nosuid,nodev,noexec,noatime 0 0\n' +
        'tmpfs /home/with\\040blank tmpfs rw,noatime 0 0\n',
    );
    expect(text('30/mounts')).toBe('');
  });

  it('self is whoever asks', () => {
    current = 1;
    expect(vfs.readlink(vfs.resolve(subject, 'proc/self', { follow: false }))).toBe('1');
    current = 7;
    expect(text('self/stat')).toBe(text('7/stat'));
  });

  it('links lead to the files themselves, past their names', () => {
    const link = vfs.resolve(subject, 'proc/self/fd/12', { follow: false });
    expect(link.inode.mode).toBe(S.IFLNK | 0o700);
    expect(vfs.readlink(link)).toBe('/home/program');
    vfs.unlink(subject, 'home/program');
    expect(vfs.readlink(link)).toBe('/home/program (deleted)');
    expect(at('self/fd/12').inode.ino).toBe(program.inode.ino);
    const again = narrow(vfs.open(subject, 'proc/self/exe', O.RDONLY));
    const into = new Uint8Array(9);
    expect(Buffer.from(into.subarray(0, again.read(into) as number)).toString()).toBe('code');
    expect(at('self/cwd/with blank').inode.fileSystem.device).toBe(4);
    expect(errnoOf(() => at('self/fd/3'))).toBe('ENOENT');
    expect(errnoOf(() => at('30/exe'))).toBe('ENOENT');
    expect(errnoOf(() => vfs.open(subject, 'proc/self/fd/12', O.RDONLY | O.NOFOLLOW))).toBe('ELOOP');
  });

  it('lists threads and finds each inode again by its number', () => {
    expect([...at('7/task').inode.entries(0)].map(({ name }) => name)).toEqual(['7', '8']);
    const seen = new Map<number, string>();
    const walk = (inode: Inode, path: string): void => {
      const twin = seen.get(inode.ino);
      expect(twin === undefined ? path : `${path} has the number of ${twin}`).toBe(path);
      seen.set(inode.ino, path);
      expect({ path, mode: proc.inode(inode.ino)?.mode }).toEqual({ path, mode: inode.mode });
      if (!isDirectory(inode)) return expect(isRegular(inode) || isSymlink(inode)).toBe(true);
      for (const { name, ino } of inode.entries(0)) {
        const child = inode.lookup(name)!;
        expect(child.ino).toBe(ino);
        if (isDirectory(child)) {
          expect(child.parent.ino).toBe(inode.ino);
          expect(inode.nameOf(child)).toBe(name);
        }
        walk(child, `${path}/${name}`);
      }
    };
    walk(proc.root, '');
    expect(seen.size).toBeGreaterThan(100);
  });

  it('a task that ends takes its files with it', () => {
    tasks.set(40, task(40));
    const file = narrow(vfs.open(subject, 'proc/40/stat', O.RDONLY));
    const directory = narrow(vfs.open(subject, 'proc/40/fd', O.RDONLY));
    tasks.delete(40);
    expect(errnoOf(() => file.read(new Uint8Array(9)))).toBe('ESRCH');
    expect(errnoOf(() => directory.getdents(() => true))).toBe('ESRCH');
    expect(errnoOf(() => at('40'))).toBe('ENOENT');
    expect(proc.inode(file.inode.ino)).toBeUndefined();
  });

  it('keeps private what is private, and cannot be changed', () => {
    const other: Subject = { ...subject, credentials: { uid: 6, gid: 6, groups: [] } };
    expect(errnoOf(() => vfs.open(other, 'proc/30/environ', O.RDONLY))).toBe('EACCES');
    expect(errnoOf(() => vfs.resolve(other, 'proc/30/fd/0'))).toBe('EACCES');
    expect(errnoOf(() => vfs.open(other, 'proc/30/stat', O.RDONLY))).toBe('done');
    expect(errnoOf(() => vfs.unlink(subject, 'proc/7/stat'))).toBe('EPERM');
    expect(errnoOf(() => vfs.mkdir(subject, 'proc/new', 0o755))).toBe('ENOENT');
    expect(errnoOf(() => vfs.open(subject, 'proc/7/new', O.CREAT | O.WRONLY))).toBe('ENOENT');
    expect(errnoOf(() => vfs.chmod(subject, at('7/stat'), 0o777))).toBe('EPERM');
  });
});
