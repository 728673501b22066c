/* What a libc and its programs ask of Linux: each line is checked against qemu-riscv64's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int seen;
static double floats;
static void note(int signal) { seen = signal; floats = 1.5 / 0.5; }
static sigjmp_buf back;
static void *fault_address;
static int fault_code;
static void on_fault(int signal, siginfo_t *info, void *context) {
  (void)context;
  seen = signal;
  fault_address = info->si_addr;
  fault_code = info->si_code;
  siglongjmp(back, 1);
}
static void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  sigaction(signal, &action, 0);
}

static void signals(void) {
  handle(SIGUSR1, note, 0);
  double before = 0.1 + 0.2;
  raise(SIGUSR1);
  printf("handler %d, floats %.17g %.17g\n", seen, before, floats);
  sigset_t set, old, pending;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigprocmask(SIG_BLOCK, &set, &old);
  handle(SIGUSR2, note, 0);
  raise(SIGUSR2);
  sigpending(&pending);
  printf("pending %d, seen %d\n", sigismember(&pending, SIGUSR2), seen);
  sigsuspend(&old);
  printf("suspended until %d, errno %d\n", seen, errno == EINTR);
  raise(SIGUSR2);
  siginfo_t info;
  printf("sigwaitinfo %d\n", sigwaitinfo(&set, &info));
  struct timespec none = {0, 1000};
  printf("sigtimedwait %d %s\n", sigtimedwait(&set, &info, &none), strerror(errno));
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
  sigaltstack(&stack, 0);
  sigaction(SIGSEGV, &action, 0);
  sigaction(SIGILL, &action, 0);
  sigaction(SIGBUS, &action, 0);
  if (!sigsetjmp(back, 1)) *(volatile int *)0x1234 = 1;
  printf("fault %d at %p code %d\n", seen, fault_address, fault_code);
  char *page = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (!sigsetjmp(back, 1)) page[5] = 1;
  printf("read-only %d offset %ld code %d\n", seen, (char *)fault_address - page, fault_code);
  if (!sigsetjmp(back, 1)) asm volatile(".word 0");
  printf("illegal %d\n", seen);
  handle(SIGALRM, note, SA_RESTART);
  struct itimerval timer = {.it_value = {0, 20000}};
  setitimer(ITIMER_REAL, &timer, 0);
  int ends[2];
  char c;
  if (pipe(ends)) exit(1);
  if (!fork()) {
    usleep(100000);
    write(ends[1], "x", 1);
    _exit(0);
  }
  printf("read after restart %zd %c, seen %d\n", read(ends[0], &c, 1), c, seen);
  handle(SIGALRM, note, 0);
  setitimer(ITIMER_REAL, &timer, 0);
  int result = read(ends[0], &c, 1);
  printf("read without %d %s\n", result, strerror(errno));
  setitimer(ITIMER_REAL, &timer, 0);
  struct timespec request = {10, 0}, rest;
  result = nanosleep(&request, &rest);
  printf("nanosleep %d %s, rest %ld\n", result, strerror(errno), (long)rest.tv_sec);
  handle(SIGPIPE, note, 0);
  close(ends[0]);
  result = write(ends[1], "y", 1);
  printf("write to nobody %d %s, seen %d\n", result, strerror(errno), seen);
  int status;
  wait(&status);
}

static void processes(void) {
  int *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int *own = malloc(sizeof *own);
  *own = 1;
  pid_t child = fork();
  if (!child) {
    *own = 2;
    *shared = 42;
    _exit(7);
  }
  int status;
  siginfo_t info = {0};
  waitid(P_PID, child, &info, WEXITED | WNOWAIT);
  printf("waitid %d %d %d\n", info.si_signo, info.si_code, info.si_status);
  waitpid(child, &status, 0);
  printf("exit %d, own %d, shared %d\n", WEXITSTATUS(status), *own, *shared);
  child = fork();
  if (!child) for (;;) pause();
  kill(child, SIGSTOP);
  waitpid(child, &status, WUNTRACED);
  printf("stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status));
  kill(child, SIGCONT);
  waitpid(child, &status, WCONTINUED);
  printf("continued %d\n", WIFCONTINUED(status));
  kill(child, SIGTERM);
  waitpid(child, &status, 0);
  printf("killed by %d\n", WTERMSIG(status));
  printf("no child %d %s\n", waitpid(-1, &status, 0), strerror(errno));
  child = vfork();
  if (!child) _exit(3);
  waitpid(child, &status, 0);
  printf("vfork %d\n", WEXITSTATUS(status));
  printf("exec of nothing %d %s\n", execl("/nothing", "x", (char *)0), strerror(errno));
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static int counter, stage;
static __thread int mine;
static void *work(void *argument) {
  for (int i = 0; i < 2000; i++) {
    pthread_mutex_lock(&mutex);
    counter++;
    pthread_mutex_unlock(&mutex);
    mine++;
    if (i % 500 == 0) sched_yield();
  }
  pthread_mutex_lock(&mutex);
  while (stage < (int)(intptr_t)argument) pthread_cond_wait(&turn, &mutex);
  stage++;
  pthread_cond_broadcast(&turn);
  pthread_mutex_unlock(&mutex);
  return (void *)(intptr_t)(mine + (int)(intptr_t)argument);
}
static void threads(void) {
  pthread_t all[4];
  for (int i = 0; i < 4; i++) pthread_create(&all[i], 0, work, (void *)(intptr_t)i);
  for (int i = 0; i < 4; i++) {
    void *result;
    pthread_join(all[i], &result);
    printf("thread %d gave %ld\n", i, (long)(intptr_t)result);
  }
  printf("counter %d, stage %d\n", counter, stage);
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 10000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  pthread_mutex_lock(&mutex);
  printf("timed wait %s\n", strerror(pthread_cond_timedwait(&turn, &mutex, &until)));
  pthread_mutex_unlock(&mutex);
}

static void memory(void) {
  char *area = mmap(0, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(area, 'a', 8 * 4096);
  munmap(area + 4096, 4096);
  printf("msync of a hole %d %s\n", msync(area, 3 * 4096, MS_SYNC), strerror(errno));
  char *moved = mremap(area + 2 * 4096, 6 * 4096, 64 * 4096, MREMAP_MAYMOVE);
  printf("moved %c %d\n", moved[100], moved[6 * 4096]);
  madvise(moved, 4096, MADV_DONTNEED);
  printf("discarded %d %c\n", moved[0], moved[4096]);
  int file = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0644);
  write(file, "hello world", 11);
  char *map = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  char *copy = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  copy[0] = 'C';
  map[0] = 'H';
  char text[12] = {0};
  pread(file, text, 11, 0);
  printf("file %s, copy %s\n", text, copy);
  pwrite(file, "WORLD", 5, 6);
  printf("map %s\n", map);
  printf("bad maps %d %d\n", mmap(0, 0, 1, 2, file, 0) == MAP_FAILED, mmap(0, 4096, 3, 1, 999, 0) == MAP_FAILED);
  ftruncate(file, 0);
  unlink("mapped");
  void *before = sbrk(0);
  sbrk(100000);
  printf("brk %ld\n", (long)((char *)sbrk(0) - (char *)before));
}

static void files(void) {
  int counter = eventfd(3, EFD_NONBLOCK);
  uint64_t value = 4;
  write(counter, &value, 8);
  read(counter, &value, 8);
  printf("eventfd %lu %zd %s\n", (unsigned long)value, read(counter, &value, 8), strerror(errno));
  int ends[2];
  pipe2(ends, O_NONBLOCK);
  struct pollfd polled[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}};
  printf("poll %d %d %d\n", poll(polled, 2, 0), polled[0].revents, polled[1].revents);
  static char block[70000];
  printf("filled %zd\n", write(ends[1], block, sizeof block));
  printf("full %zd %s\n", write(ends[1], block, 1), strerror(errno));
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  struct timeval now = {0, 0};
  printf("select %d %d\n", select(ends[0] + 1, &set, 0, 0, &now), FD_ISSET(ends[0], &set));
  close(ends[1]);
  while (read(ends[0], block, sizeof block) > 0);
  printf("poll at the end %d %d\n", poll(polled, 1, 0), polled[0].revents);
  struct iovec parts[2] = {{"ab", 2}, {"cde", 3}};
  int file = open("vector", O_RDWR | O_CREAT, 0600);
  printf("writev %zd, at %ld\n", writev(file, parts, 2), (long)lseek(file, 0, SEEK_CUR));
  printf("seek %ld %s\n", (long)lseek(file, -1, SEEK_SET), strerror(errno));
  int other = fcntl(file, F_DUPFD_CLOEXEC, 100);
  printf("dup %d %d %d\n", other, fcntl(other, F_GETFD), fcntl(file, F_GETFL) & O_ACCMODE);
  struct stat status;
  fstat(other, &status);
  printf("size %ld mode %o links %d\n", (long)status.st_size, status.st_mode, (int)status.st_nlink);
  printf("wild %ld %s\n", (long)syscall(SYS_write, file, (void *)8, 10), strerror(errno));
  printf("bad fd %zd %s\n", read(77, block, 1), strerror(errno));
  printf("open %d %s\n", open("vector/x", O_RDONLY), strerror(errno));
  printf("mkdir %d %s\n", mkdir("vector", 0700), strerror(errno));
  unlink("vector");
}

static void waiting(void) {
  int ends[2], pair[2], set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {EPOLLIN, {.u64 = 77}}, found[4];
  if (pipe(ends) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) exit(1);
  epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event);
  event = (struct epoll_event){EPOLLIN | EPOLLONESHOT, {.u64 = 88}};
  epoll_ctl(set, EPOLL_CTL_ADD, pair[0], &event);
  printf("again %d %s\n", epoll_ctl(set, EPOLL_CTL_ADD, pair[0], &event), strerror(errno));
  printf("nothing %d\n", epoll_wait(set, found, 4, 10));
  if (!fork()) {
    usleep(30000);
    write(pair[1], "hello", 5);
    _exit(0);
  }
  printf("woken %d by %d %d\n", epoll_wait(set, found, 4, -1), (int)found[0].data.u64, found[0].events);
  char text[8] = {0};
  printf("socket %zd", read(pair[0], text, 7));
  printf(" %s, once %d\n", text, epoll_wait(set, found, 4, 0));
  write(ends[1], "x", 1);
  printf("pipe %d by %d\n", epoll_wait(set, found, 4, -1), (int)found[0].data.u64);
  wait(0);
  close(pair[1]);
  printf("end %zd, write %zd %s\n", read(pair[0], text, 7), write(pair[0], "x", 1), strerror(errno));
  int memory = memfd_create("m", MFD_CLOEXEC);
  ftruncate(memory, 4096);
  char *map = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  strcpy(map, "shared");
  printf("memfd %zd %s\n", pread(memory, text, 7, 0), text);
}

int main(void) {
  setvbuf(stdout, 0, _IOLBF, 0);
  signals();
  processes();
  threads();
  memory();
  files();
  waiting();
  return 0;
}
