/* Integer work of the kinds that embedded programs do, like CoreMark's: linked lists that are searched, sorted and
   reversed; multiplication of small matrices; a state machine that reads numbers; a CRC over the results. */
#include "frame.h"
#include <stddef.h>

static uint16_t crc16(uint16_t crc, uint32_t value) {
  for (int bit = 0; bit < 32; bit++) {
    unsigned feedback = (crc ^ value) & 1;
    value >>= 1;
    crc >>= 1;
    if (feedback) crc ^= 0xa001;
  }
  return crc;
}

enum { NODES = 200 };
struct node {
  struct node *next;
  int16_t value, index;
};
static struct node nodes[NODES];

static struct node *merge(struct node *left, struct node *right, int by_index) {
  struct node head, *last = &head;
  while (left && right) {
    int takes_left = by_index ? left->index <= right->index : left->value <= right->value;
    struct node **from = takes_left ? &left : &right;
    last->next = *from;
    last = *from;
    *from = (*from)->next;
  }
  last->next = left ? left : right;
  return head.next;
}

static struct node *sort(struct node *list, int by_index) {
  if (!list || !list->next) return list;
  struct node *slow = list, *fast = list->next;
  while (fast && fast->next) {
    slow = slow->next;
    fast = fast->next->next;
  }
  struct node *right = slow->next;
  slow->next = NULL;
  return merge(sort(list, by_index), sort(right, by_index), by_index);
}

static struct node *reverse(struct node *list) {
  struct node *reversed = NULL;
  while (list) {
    struct node *rest = list->next;
    list->next = reversed;
    reversed = list;
    list = rest;
  }
  return reversed;
}

static uint16_t lists(uint16_t crc, uint64_t *seed) {
  for (int i = 0; i < NODES; i++) {
    nodes[i].next = i + 1 < NODES ? &nodes[i + 1] : NULL;
    nodes[i].value = (int16_t)(next(seed) >> 48);
    nodes[i].index = (int16_t)i;
  }
  struct node *list = sort(nodes, 0);
  int found = 0;
  for (int wanted = 0; wanted < 40; wanted++)
    for (struct node *node = list; node; node = node->next)
      if ((node->value & 63) == wanted) {
        found += node->index;
        break;
      }
  list = reverse(list);
  for (struct node *node = list; node; node = node->next) crc = crc16(crc, (uint16_t)node->value);
  list = sort(list, 1);
  return crc16(crc, (uint32_t)(found + list->value));
}

enum { SIZE = 16 };
static uint16_t matrices(uint16_t crc, uint64_t *seed) {
  static int16_t a[SIZE][SIZE], b[SIZE][SIZE];
  static int32_t c[SIZE][SIZE];
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      a[i][j] = (int16_t)(next(seed) >> 50);
      b[i][j] = (int16_t)(next(seed) >> 50);
    }
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      int32_t sum = 0;
      for (int k = 0; k < SIZE; k++) sum += a[i][k] * b[k][j];
      c[i][j] = sum;
    }
  int32_t total = 0, previous = 0;
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      total += c[i][j] > previous ? 10 : (c[i][j] >> 2) & 15;
      previous = c[i][j];
    }
  return crc16(crc, (uint32_t)total);
}

enum state { START, SIGN, INTEGER, FRACTION, EXPONENT, EXPONENT_SIGN, SCIENTIFIC, INVALID, STATES };

static enum state step(enum state state, char c) {
  int digit = c >= '0' && c <= '9';
  switch (state) {
    case START: return digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? FRACTION : INVALID;
    case SIGN: return digit ? INTEGER : c == '.' ? FRACTION : INVALID;
    case INTEGER: return digit ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case FRACTION: return digit ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case EXPONENT: return digit ? SCIENTIFIC : c == '+' || c == '-' ? EXPONENT_SIGN : INVALID;
    case EXPONENT_SIGN:
    case SCIENTIFIC: return digit ? SCIENTIFIC : INVALID;
    default: return INVALID;
  }
}

static uint16_t numbers(uint16_t crc, uint64_t *seed) {
  static const char *const words[] = {"5012", "1234", "-874", "+122", "35.54400", ".1234500", "-110.700", "+0.64400",
                                      "5.500e+3", "-.123e-2", "-87e+832", "+0.6e-12", "T0.3e-1F", "-T.T++Tq", "1T3.4e4z"};
  uint32_t visits[STATES] = {0};
  for (int count = 0; count < 60; count++) {
    const char *word = words[(next(seed) >> 40) % (sizeof words / sizeof *words)];
    enum state state = START;
    for (; *word && state != INVALID; word++) {
      state = step(state, *word);
      visits[state]++;
    }
    visits[state] += 16;
  }
  for (int state = 0; state < STATES; state++) crc = crc16(crc, visits[state]);
  return crc;
}

uint64_t work(long rounds) {
  uint64_t seed = 1, checksum = 0;
  for (long round = 0; round < rounds; round++) {
    uint16_t crc = lists(0, &seed);
    for (int repeat = 0; repeat < 4; repeat++) crc = matrices(crc, &seed);
    crc = numbers(crc, &seed);
    checksum = mix(checksum, crc);
  }
  return checksum;
}
