/** Names of calls that are not there, for counters and the log: asm-generic/unistd.h. */
const names: Readonly<Record<number, string>> = {
  5: 'setxattr', 6: 'lsetxattr', 7: 'fsetxattr', 8: 'getxattr', 9: 'lgetxattr', 10: 'fgetxattr',
  11: 'listxattr', 12: 'llistxattr', 13: 'flistxattr', 14: 'removexattr', 26: 'inotify_init1', 27: 'inotify_add_watch',
  39: 'umount2', 40: 'mount', 41: 'pivot_root', 60: 'quotactl', 75: 'vmsplice', 76: 'splice', 77: 'tee', 85: 'timerfd_create',
  89: 'acct', 90: 'capget', 91: 'capset', 97: 'unshare', 104: 'kexec_load', 105: 'init_module', 107: 'timer_create',
  116: 'syslog', 117: 'ptrace', 180: 'mq_open', 186: 'msgget', 190: 'semget', 194: 'shmget', 198: 'socket', 200: 'bind',
  201: 'listen', 202: 'accept', 203: 'connect', 204: 'getsockname', 205: 'getpeername', 206: 'sendto', 207: 'recvfrom',
  208: 'setsockopt', 209: 'getsockopt', 210: 'shutdown', 211: 'sendmsg', 212: 'recvmsg', 213: 'readahead',
  224: 'swapon', 241: 'perf_event_open', 262: 'fanotify_init', 268: 'setns', 270: 'process_vm_readv', 274: 'sched_setattr',
  275: 'sched_getattr', 277: 'seccomp', 280: 'bpf', 282: 'userfaultfd', 285: 'copy_file_range', 293: 'rseq', 425: 'io_uring_setup',
  434: 'pidfd_open', 437: 'openat2',
}; // prettier-ignore

export const nameOfMissing = (number: number): string => names[number] ?? `syscall-${number}`;
