/**
 * The one table of prices: US dollars, us-east-1, first tiers, without free tiers. From AWS's price pages as of
 * 2026-11 (Lambda MicroVMs: 2026-06). Prices drift: change them here, with the date.
 */
export const PRICES = {
  date: '2026-11',
  lambda: {
    /** A gigabyte for a second, by architecture. */
    gigabyteSecond: { arm64: 0.0000133334, x64: 0.0000166667 },
    request: 0.2e-6,
  },
  sqs: { request: 0.4e-6 },
  dynamodb: {
    /** 1 KB written, 4 KB read strongly consistent, on demand. */
    writeUnit: 0.625e-6,
    readUnit: 0.125e-6,
    gigabyteMonth: 0.25,
  },
  s3: { put: 5e-6, get: 0.4e-6, gigabyteMonth: 0.023 },
  microVms: {
    /** While it runs, idle or not; the smallest is a quarter of a CPU and half a gigabyte. Arm only. */
    cpuSecond: 0.0000276944,
    gigabyteSecond: 0.0000036667,
    gigabyteMonth: 0.08,
  },
} as const;

export type Architecture = keyof typeof PRICES.lambda.gigabyteSecond;
