/*
 * What several harts of QEMU's `virt` do together, on the bare machine in M-mode: every line that hart 0 writes is
 * checked against QEMU's. Built with -DHARTS=n; all harts start here, with their number in a0.
 */
typedef unsigned long u64;
typedef unsigned int u32;

#define UART (*(volatile unsigned char *)0x10000000)
#define FINISHER (*(volatile u32 *)0x100000)
#define MSIP(hart) (*(volatile u32 *)(0x2000000 + 4 * (hart)))
#define MTIMECMP(hart) (*(volatile u64 *)(0x2004000 + 8 * (hart)))
#define MTIME (*(volatile u64 *)0x200bff8)
#define PLIC_PRIORITY(source) (*(volatile u32 *)(0xc000000 + 4 * (source)))
#define PLIC_ENABLE(context) (*(volatile u32 *)(0xc002000 + 0x80 * (context)))
#define PLIC_CLAIM(context) (*(volatile u32 *)(0xc200004 + 0x1000 * (context)))
#define UART_SOURCE 10
#define UART_IER (*(volatile unsigned char *)0x10000001)

#define ROUNDS 500
#define PASSES 20
#define csr_read(name) ({ u64 v; asm volatile("csrr %0, " #name : "=r"(v)); v; })
#define csr_write(name, v) asm volatile("csrw " #name ", %0" ::"r"((u64)(v)) : "memory")
#define fence() asm volatile("fence" ::: "memory")

asm(".section .text.startup, \"ax\"\n"
    ".global _start\n"
    "_start:\n"
    "  csrr a0, mhartid\n"
    "  la sp, stacks\n"
    "  addi t0, a0, 1\n"
    "  slli t0, t0, 12\n"
    "  add sp, sp, t0\n"
    "  j run\n"
    ".balign 4\n"
    "trap: j trap\n"
    ".text\n");

unsigned char stacks[8 << 12] __attribute__((aligned(4096)));
static u64 tables[3][512] __attribute__((aligned(4096)));
static volatile u64 pages[2][512] __attribute__((aligned(4096)));
static volatile u64 arrived, added, reserved, locked, next_ticket, served, passes, woken, early, sums[8], claims;

static void add(volatile u64 *place, u64 amount) {
  asm volatile("amoadd.d zero, %1, (%0)" ::"r"(place), "r"(amount) : "memory");
}
static u64 take(volatile u64 *place) {
  u64 old;
  asm volatile("amoadd.d.aqrl %0, %2, (%1)" : "=r"(old) : "r"(place), "r"(1L) : "memory");
  return old;
}
static void add_reserved(volatile u64 *place) {
  u64 value, failed;
  do {
    asm volatile("lr.d.aq %0, (%2)\n addi %0, %0, 1\n sc.d.rl %1, %0, (%2)"
                 : "=&r"(value), "=&r"(failed) : "r"(place) : "memory");
  } while (failed);
}
static void pause(void) { asm volatile(".insn 0x0100000f" ::: "memory"); }

/* The nth meeting ends when all have come n times. */
static void meet(u64 n) {
  fence();
  add(&arrived, 1);
  while (arrived < n * HARTS) pause();
  fence();
}
static void write_text(const char *text) {
  while (*text) UART = *text++;
}
static void write_number(const char *name, u64 value) {
  write_text(name);
  for (int shift = 60; shift >= 0; shift -= 4) UART = "0123456789abcdef"[(value >> shift) & 15];
  write_text("\n");
}

/* Waits for its own software interrupt, without taking it, and clears it. */
static void await_interrupt(u64 hart) {
  while (!(csr_read(mip) & 8)) asm volatile("wfi");
  MSIP(hart) = 0;
  while (csr_read(mip) & 8) ;
  fence();
}

/* Instructions that hart 0 replaces: li a0, 1; ret. */
static u32 patched[2] __attribute__((aligned(8))) = {0x00100513, 0x00008067};

/* Loads as S-mode would, through the tables: mstatus.MPRV with MPP = S. */
static u64 load_translated(u64 address) {
  u64 value;
  asm volatile("csrs mstatus, %2\n ld %0, (%1)\n csrc mstatus, %2"
               : "=&r"(value) : "r"(address), "r"((1L << 17) | (1L << 11)) : "memory");
  return value;
}

void run(u64 hart) {
  u64 meeting = 0;
  csr_write(mtvec, (u64)({ void *t; asm("la %0, trap" : "=r"(t)); t; }));
  csr_write(mstatus, 0);
  csr_write(pmpaddr0, ~0UL >> 10);
  csr_write(pmpcfg0, 0x1f);
  csr_write(mie, 8);
  meet(++meeting);

  /* Contended counters: an atomic operation, a reservation, and a ticket lock around plain accesses. */
  for (int i = 0; i < ROUNDS; i++) {
    add(&added, hart + 1);
    add_reserved(&reserved);
    u64 ticket = take(&next_ticket);
    while (served != ticket) pause();
    locked = locked + 1;
    fence();
    served = ticket + 1;
  }
  meet(++meeting);

  /* Interrupts go round: who has been interrupted interrupts the next. */
  if (hart == 0) MSIP(1 % HARTS) = 1;
  for (int i = 0; i < PASSES; i++) {
    await_interrupt(hart);
    passes = passes + 1;
    fence();
    if (i < PASSES - 1 || hart != 0) MSIP((hart + 1) % HARTS) = 1;
  }
  meet(++meeting);
  if (hart == 1 % HARTS) MSIP(hart) = 0; /* the last pass of the ring */
  meet(++meeting);

  /* Timers: each hart has its own, the highest the first. */
  csr_write(mie, 0x80);
  u64 due = MTIME + (HARTS - hart) * 10000;
  MTIMECMP(hart) = due;
  meet(++meeting);
  while (!(csr_read(mip) & 0x80)) asm volatile("wfi");
  if (MTIME < due) add(&early, 1);
  add(&woken, 1);
  MTIMECMP(hart) = ~0UL;
  csr_write(mie, 8);
  meet(++meeting);

  /* Remote fence.i: each runs the code, hart 0 changes it, each runs it again. */
  u64 (*code)(void) = (u64 (*)(void))patched;
  sums[hart] = code();
  meet(++meeting);
  if (hart == 0) {
    patched[0] = 0x00700513; /* li a0, 7 */
    fence();
    for (u64 other = 1; other < HARTS; other++) MSIP(other) = 1;
  } else await_interrupt(hart);
  asm volatile("fence.i" ::: "memory");
  sums[hart] += 16 * code();
  meet(++meeting);

  /* Remote sfence.vma: each looks at a page, hart 0 maps another one there, each looks again. */
  if (hart == 0) {
    pages[0][0] = 0x100;
    pages[1][0] = 0x2000;
    tables[0][0] = ((u64)tables[1] >> 12 << 10) | 1;
    tables[1][0] = ((u64)tables[2] >> 12 << 10) | 1;
    tables[2][5] = ((u64)pages[0] >> 12 << 10) | 0xc7;
  }
  meet(++meeting);
  csr_write(satp, (8UL << 60) | ((u64)tables >> 12));
  asm volatile("sfence.vma" ::: "memory");
  sums[hart] += load_translated(0x5000);
  meet(++meeting);
  if (hart == 0) {
    tables[2][5] = ((u64)pages[1] >> 12 << 10) | 0xc7;
    fence();
    for (u64 other = 1; other < HARTS; other++) MSIP(other) = 1;
  } else await_interrupt(hart);
  asm volatile("sfence.vma" ::: "memory");
  sums[hart] += load_translated(0x5000);
  meet(++meeting);

  /* The serial port's interrupt in each hart's M context in turn: only that hart sees it, and claims it. */
  csr_write(mie, 0);
  for (u64 turn = 0; turn < HARTS; turn++) {
    if (turn == hart) {
      PLIC_PRIORITY(UART_SOURCE) = 1;
      PLIC_ENABLE(2 * hart) = 1 << UART_SOURCE;
      UART_IER = 2; /* transmitter empty */
      while (!(csr_read(mip) & 0x800)) ;
    }
    meet(++meeting);
    u64 seen = (csr_read(mip) >> 11) & 1;
    if (seen != (turn == hart)) add(&claims, 0x1000000);
    meet(++meeting);
    if (turn == hart) {
      u32 source = PLIC_CLAIM(2 * hart);
      add(&claims, source);
      UART_IER = 0;
      PLIC_CLAIM(2 * hart) = source;
      PLIC_ENABLE(2 * hart) = 0;
    }
    meet(++meeting);
  }

  if (hart != 0) for (;;) asm volatile("wfi");
  write_number("atomic adds  ", added);
  write_number("reservations ", reserved);
  write_number("ticket lock  ", locked);
  write_number("ring         ", passes);
  write_number("timers       ", woken);
  write_number("too early    ", early);
  for (int i = 0; i < HARTS; i++) write_number("fences       ", sums[i]);
  write_number("claims       ", claims);
  FINISHER = 0x5555;
}
