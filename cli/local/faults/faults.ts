/**
 * What may go wrong between a function and the services, and how often. Each request is judged once, from a seed:
 * rows with their odds, in this order, and the first that comes up decides.
 */
import { seeded } from './random';
import { partitionKeyOf, writeUnitsOf, type Service, type ServiceRequest } from './request';
import { NEW_TABLE, Throughput, type ThroughputLimits } from './throughput';

/** What becomes of a request. */
export type Verdict =
  | { readonly kind: 'pass' }
  /** The service refuses it: nothing happens. */
  | { readonly kind: 'refuse'; readonly error: string; readonly status: number }
  /** The connection breaks before the service sees it. */
  | { readonly kind: 'lost' }
  /** The service carries it out, and the answer is lost. */
  | { readonly kind: 'applied' }
  /** Carried out twice, as a queue that delivers a message twice. */
  | { readonly kind: 'twice' }
  /** A message that comes late, so that later ones overtake it. */
  | { readonly kind: 'late'; readonly seconds: number };

export interface FaultOdds {
  /** Of every request: an error of the service's own, a lost request, a lost answer. */
  readonly error?: number;
  readonly lost?: number;
  readonly applied?: number;
  /** Of every message: it comes twice, or late. */
  readonly twice?: number;
  readonly late?: number;
  /** Of every DynamoDB request, besides what the throughput limits refuse. */
  readonly throttle?: number;
}

export interface FaultOptions {
  readonly seed: number;
  readonly odds?: FaultOdds;
  /** Undefined: those of a new on-demand table. False: none. */
  readonly throughput?: ThroughputLimits | false;
  /** Milliseconds that a request takes more, at most; each takes a part of them, by chance. */
  readonly delayMs?: number;
  /** Each worker's clock is off by as much at most, in either direction. */
  readonly clockSkewMs?: number;
}

type Row = readonly [odds: keyof FaultOdds, service: Service | 'any', verdict: (part: number) => Verdict];

const THROTTLED: Verdict = { kind: 'refuse', error: 'ThrottlingException', status: 400 };
const OVER_LIMIT: Verdict = { kind: 'refuse', error: 'ProvisionedThroughputExceededException', status: 400 };

const ROWS: readonly Row[] = [
  ['throttle', 'dynamodb', () => THROTTLED],
  ['error', 'any', () => ({ kind: 'refuse', error: 'InternalServerError', status: 500 })],
  ['lost', 'any', () => ({ kind: 'lost' })],
  ['applied', 'any', () => ({ kind: 'applied' })],
  ['twice', 'sqs', () => ({ kind: 'twice' })],
  ['late', 'sqs', (part) => ({ kind: 'late', seconds: 1 + Math.floor(part * 3) })],
];

export class Faults {
  /** Verdicts so far, by kind: what the run went through. */
  readonly counts: Record<Verdict['kind'], number> = {
    pass: 0,
    refuse: 0,
    lost: 0,
    applied: 0,
    twice: 0,
    late: 0,
  };
  private readonly random: () => number;
  private readonly throughput: Throughput | undefined;

  constructor(
    readonly options: FaultOptions,
    now: () => number,
  ) {
    this.random = seeded(options.seed);
    const limits = options.throughput ?? NEW_TABLE;
    this.throughput = limits === false ? undefined : new Throughput(limits, now);
  }

  judge(request: ServiceRequest): Verdict {
    const verdict = this.refusal(request) ?? this.chance(request);
    this.counts[verdict.kind] += 1;
    return verdict;
  }

  /** Milliseconds to wait before a request goes on. */
  delay(): number {
    return this.random() * (this.options.delayMs ?? 0);
  }

  private refusal(request: ServiceRequest): Verdict | undefined {
    if (request.service !== 'dynamodb' || this.throughput === undefined) return undefined;
    const written = writeUnitsOf(request);
    const table = String(request.input['TableName'] ?? '');
    // What a read costs is known when it is answered: here it counts as one unit.
    const admitted = this.throughput.admit(
      written > 0 ? 'write' : 'read',
      table,
      partitionKeyOf(request),
      Math.max(1, written),
    );
    return admitted ? undefined : OVER_LIMIT;
  }

  private chance({ service }: ServiceRequest): Verdict {
    for (const [odds, of, verdict] of ROWS) {
      if (of !== 'any' && of !== service) continue;
      if (this.random() < (this.options.odds?.[odds] ?? 0)) return verdict(this.random());
    }
    return { kind: 'pass' };
  }
}

/** Milliseconds by which a worker's clock is off: the same for the same worker and seed. */
export function skewOf({ seed, clockSkewMs = 0 }: FaultOptions, worker: string): number {
  const mixed = [...worker].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), seed);
  return Math.round((seeded(mixed)() * 2 - 1) * clockSkewMs);
}
