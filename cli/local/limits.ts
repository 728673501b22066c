/**
 * Lambda's and SQS's limits that the local cloud enforces. Source: AWS Lambda
 * quotas and Amazon SQS quotas, as of 2026-11.
 */
export const LIMITS = {
  /** Bytes of a synchronous request or response. */
  synchronousPayload: 6 * 1024 * 1024,
  /** Seconds that a function's initialisation may take. */
  initialisationSeconds: 10,
  /** Hops of one chain of invocations after which it is taken for a loop. */
  recursionHops: 16,
  /** Seconds of one long poll of a queue. */
  longPollSeconds: 20,
} as const;

/** The account in which everything local lives: the queue emulator knows no other. */
export const LOCAL_ACCOUNT = '000000000000';
export const DEFAULT_REGION = 'us-east-1';
