/** Environment variables of the functions, read once and checked: a wrong deployment says so in one line. */

export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable that the constructs should have set. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

export function required(environment: Environment, name: string): string {
  const value = environment[name];
  if (value !== undefined && value !== '') return value;
  throw new EnvironmentError(`the environment variable ${name} is not set: deploy the stack again`);
}

/** A positive number; undefined when the variable is not set. */
export function positive(environment: Environment, name: string): number | undefined {
  const text = environment[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new EnvironmentError(
    `the environment variable ${name} is ${JSON.stringify(text)}, and must be a number above 0`,
  );
}

/** `GUESTS`: a JSON object, guest id to the S3 key of its definition. */
export function guestsOf(environment: Environment): ReadonlyMap<string, string> {
  const text = required(environment, 'GUESTS');
  const refuse = (): EnvironmentError =>
    new EnvironmentError(
      'the environment variable GUESTS must be a JSON object, guest id to key of its definition',
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse();
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse();
  return new Map(
    Object.entries(value).map(([guest, key]): [string, string] => {
      if (typeof key !== 'string') throw refuse();
      return [guest, key];
    }),
  );
}
