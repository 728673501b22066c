/* Threads on all CPUs that contend for memory: what they count together is exact, here as under qemu-riscv64. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4
#define ROUNDS 3000

struct counts {
  long added, reserved, locked, swapped, half;
};
static struct counts *counts;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;
static int pipes[THREADS][2];

static void pin(long number) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(number % sysconf(_SC_NPROCESSORS_ONLN), &set);
  sched_setaffinity(0, sizeof set, &set);
}

static void contend(long number) {
  for (int i = 0; i < ROUNDS; i++) {
    long old, failed;
    __atomic_fetch_add(&counts->added, number, __ATOMIC_SEQ_CST);
    asm volatile("1: lr.d %0, (%2)\n addi %0, %0, 1\n sc.d %1, %0, (%2)\n bnez %1, 1b"
                 : "=&r"(old), "=&r"(failed) : "r"(&counts->reserved) : "memory");
    old = __atomic_load_n(&counts->swapped, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&counts->swapped, &old, old + 3, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) ;
    __atomic_fetch_add((int *)&counts->half, 1, __ATOMIC_SEQ_CST);
  }
}

static void *thread(void *argument) {
  long number = (long)argument;
  char token;
  pin(number);
  pthread_barrier_wait(&barrier);
  contend(number);
  for (int i = 0; i < ROUNDS; i++) {
    pthread_mutex_lock(&mutex);
    counts->locked++;
    pthread_mutex_unlock(&mutex);
  }
  /* A token goes round: each wakes the next, on another CPU. */
  for (int i = 0; i < 100; i++) {
    if (read(pipes[number][0], &token, 1) != 1) return 0;
    if (write(pipes[(number + 1) % THREADS][1], &token, 1) != 1) return 0;
  }
  /* Pages go away while others use theirs: what was written to a fresh page is there, and nothing else. */
  for (int i = 0; i < 50; i++) {
    volatile long *page = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page[0] || page[512]) __atomic_fetch_add(&counts->locked, 1000000, __ATOMIC_SEQ_CST);
    page[0] = page[512] = number + 1;
    mprotect((void *)page, 4096, PROT_READ);
    if (page[0] != number + 1) __atomic_fetch_add(&counts->locked, 1000000, __ATOMIC_SEQ_CST);
    munmap((void *)page, 8192);
  }
  return 0;
}

int main(void) {
  pthread_t threads[THREADS];
  counts = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_barrier_init(&barrier, 0, THREADS);
  for (int i = 0; i < THREADS; i++) if (pipe(pipes[i])) return 1;
  for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, thread, (void *)i);
  if (write(pipes[0][1], "t", 1) != 1) return 1;
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
  /* Processes share the page as threads do. */
  for (long i = 0; i < THREADS; i++) {
    if (fork() == 0) {
      pin(i);
      contend(i);
      _exit(0);
    }
  }
  while (wait(0) > 0) ;
  printf("added %ld reserved %ld locked %ld swapped %ld half %ld\n", counts->added, counts->reserved, counts->locked,
         counts->swapped, counts->half);
  return 0;
}
