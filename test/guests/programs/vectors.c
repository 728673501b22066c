// Vector registers belong to a thread: another thread, and a signal handler, may use them too.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <ucontext.h>

static uint32_t kept[2];
static volatile int started;

static uint32_t same(uint32_t mark) {
    uint32_t differences;
    asm volatile("vmv.v.x v24, %1\n vmsne.vv v0, v8, v24\n vcpop.m %0, v0" : "=&r"(differences) : "r"(mark));
    return differences == 0;
}

// Neither thread enters the kernel while it spins: it is interrupted.
static void *spin(void *argument) {
    uint32_t number = (uint32_t)(uintptr_t)argument, mark = 0x1000 + number;
    uint64_t length = 0;
    __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
    while (started < 2) sched_yield();
    asm volatile("vsetvli zero, %1, e32, m8, ta, ma\n vmv.v.x v8, %0" ::"r"(mark), "r"(32 - 16ul * number));
    for (int i = 0; i < 3000000; i++) asm volatile("");
    kept[number] = same(mark);
    asm volatile("csrr %0, vl" : "=r"(length));
    kept[number] += 2 * (length == 32 - 16ul * number);
    return 0;
}

static uint32_t magic, size;
static void handler(int signal, siginfo_t *info, void *context) {
    ucontext_t *interrupted = context;
    uint32_t *head = (uint32_t *)((char *)&interrupted->uc_mcontext + 256 + 520);
    magic = head[0];
    size = head[1];
    asm volatile("vsetvli zero, %0, e8, m8, ta, ma\n vmv.v.i v8, -1\n vmv.v.i v16, -1" ::"r"(100ul));
    interrupted->uc_mcontext.__gregs[0] += 4;
}

int main(void) {
    pthread_t threads[2];
    for (uintptr_t i = 0; i < 2; i++) pthread_create(&threads[i], 0, spin, (void *)i);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], 0);
    printf("threads %u %u\n", kept[0], kept[1]);

    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, 0);
    uint64_t length, type, vxrm;
    uint32_t differences;
    asm volatile("csrwi vxrm, 2\n vsetvli zero, %4, e32, m4, ta, ma\n vmv.v.x v8, %5\n"
                 ".option push\n .option norvc\n ebreak\n .option pop\n"
                 "csrr %0, vl\n csrr %1, vtype\n csrr %2, vxrm\n"
                 "vmv.v.x v24, %5\n vmsne.vv v0, v8, v24\n vcpop.m %3, v0"
                 : "=&r"(length), "=&r"(type), "=&r"(vxrm), "=&r"(differences)
                 : "r"(9ul), "r"(0x1234ul));
    printf("signal %x %u, vl %lu vtype %lx vxrm %lu differences %u\n", magic, size, length, type, vxrm, differences);
    return 0;
}
