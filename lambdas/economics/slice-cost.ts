/** What a slice costs, from what it did. */
import { PRICES, type Architecture } from './prices';

export interface SliceUse {
  /** Of the worker function, from the token to the end of its flush. */
  readonly milliseconds: number;
  /** Memory of the worker function; Lambda's megabytes are mebibytes. */
  readonly memoryMb: number;
  readonly architecture: Architecture;
  readonly writeUnits: number;
  readonly readUnits: number;
  readonly s3Puts?: number;
  readonly s3Gets?: number;
}

/** A token is sent, received and deleted. */
const QUEUE_REQUESTS = 3;
/** The head's commit and the slice's metrics come after what a slice can know of itself. */
const COMMIT_UNITS = 3;

/** US dollars. */
export function sliceDollars(use: SliceUse): number {
  const { lambda, sqs, dynamodb, s3 } = PRICES;
  const gigabyteSeconds = (use.memoryMb / 1024) * (use.milliseconds / 1000);
  return (
    gigabyteSeconds * lambda.gigabyteSecond[use.architecture] +
    lambda.request +
    QUEUE_REQUESTS * sqs.request +
    (use.writeUnits + COMMIT_UNITS) * dynamodb.writeUnit +
    use.readUnits * dynamodb.readUnit +
    (use.s3Puts ?? 0) * s3.put +
    (use.s3Gets ?? 0) * s3.get
  );
}
