/**
 * CloudFormation's intrinsic functions, as far as the CDK writes them.
 * AWS CloudFormation User Guide, "Intrinsic function reference".
 */
import type { Json, JsonObject } from './assembly';
import { LocalCloudError } from './errors';

/** What names in a template stand for. Each throws LocalCloudError when it does not know the name. */
export interface Scope {
  /** Value of `Ref`: a resource, a parameter or a pseudo parameter. */
  ref(name: string): Json;
  /** Value of `Fn::GetAtt`. */
  attribute(logicalId: string, attribute: string): Json;
}

type Intrinsic = (argument: Json, scope: Scope) => Json;

const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  Ref: (name, scope) => scope.ref(text(name, 'Ref')),

  'Fn::GetAtt': (argument, scope) => {
    const [logicalId, ...attribute] = Array.isArray(argument)
      ? list(argument, 'Fn::GetAtt').map((part) => text(part, 'Fn::GetAtt'))
      : text(argument, 'Fn::GetAtt').split('.');
    return scope.attribute(logicalId ?? '', attribute.join('.'));
  },

  'Fn::Join': (argument, scope) => {
    const [delimiter, parts] = list(argument, 'Fn::Join');
    return list(resolve(parts ?? null, scope), 'Fn::Join')
      .map((part) => text(part, 'Fn::Join'))
      .join(text(delimiter ?? null, 'Fn::Join'));
  },

  'Fn::Sub': (argument, scope) => {
    const [pattern, variables] = Array.isArray(argument) ? list(argument, 'Fn::Sub') : [argument, {}];
    const own = resolve(variables ?? {}, scope) as JsonObject;
    return text(pattern ?? null, 'Fn::Sub').replace(
      /\$\{(!?)([^}]+)\}/g,
      (_, literal: string, name: string) => {
        if (literal !== '') return `\${${name}}`;
        if (own[name] !== undefined) return text(own[name], 'Fn::Sub');
        const dot = name.indexOf('.');
        const value = dot < 0 ? scope.ref(name) : scope.attribute(name.slice(0, dot), name.slice(dot + 1));
        return text(value, 'Fn::Sub');
      },
    );
  },

  'Fn::Select': (argument, scope) => {
    const [index, values] = list(argument, 'Fn::Select');
    const chosen = list(resolve(values ?? null, scope), 'Fn::Select')[Number(resolve(index ?? null, scope))];
    if (chosen === undefined) throw new LocalCloudError(`Fn::Select: no element ${JSON.stringify(index)}`);
    return chosen;
  },

  'Fn::Split': (argument, scope) => {
    const [delimiter, value] = list(argument, 'Fn::Split');
    return text(resolve(value ?? null, scope), 'Fn::Split').split(text(delimiter ?? null, 'Fn::Split'));
  },
};

/** Replaces every intrinsic function in `value` by what it stands for. `AWS::NoValue` drops the property. */
export function resolve(value: Json, scope: Scope): Json {
  if (isList(value)) return value.filter((item) => !isNoValue(item)).map((item) => resolve(item, scope));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value);
  const [name, argument] = entries[0] ?? [];
  if (entries.length === 1 && name !== undefined && argument !== undefined) {
    const intrinsic = INTRINSICS[name];
    if (intrinsic !== undefined) return intrinsic(argument, scope);
    if (name.startsWith('Fn::')) {
      throw new LocalCloudError(
        `the local cloud does not know ${name}; it knows ${Object.keys(INTRINSICS).join(', ')}`,
      );
    }
  }
  return Object.fromEntries(
    entries.filter(([, item]) => !isNoValue(item)).map(([key, item]) => [key, resolve(item, scope)]),
  );
}

/** Placeholders of asset destinations: the pseudo parameters as `${AWS::Region}`, nothing else. */
export function substitutePlaceholders(pattern: string, scope: Scope): string {
  return text(INTRINSICS['Fn::Sub']?.(pattern, scope) ?? pattern, 'asset destination');
}

// Array.isArray does not narrow readonly arrays.
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isNoValue(value: Json): boolean {
  return value !== null && typeof value === 'object' && 'Ref' in value && value['Ref'] === 'AWS::NoValue';
}

function list(value: Json, intrinsic: string): readonly Json[] {
  if (isList(value)) return value;
  throw new LocalCloudError(`${intrinsic} takes a list, not ${JSON.stringify(value)}`);
}

/** @throws LocalCloudError when `value` is no scalar. `taker`: who asks for it, for the message. */
export function text(value: Json, taker: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new LocalCloudError(`${taker} takes a string, not ${JSON.stringify(value)}`);
}
