import fc from 'fast-check';
import type { Json } from '../../../cli/local/assembly';
import { LocalCloudError } from '../../../cli/local/errors';
import { resolve, type Scope } from '../../../cli/local/intrinsics';

const scope: Scope = {
  ref: (name) => `<${name}>`,
  attribute: (id, attribute) => `<${id}.${attribute}>`,
};

describe('intrinsic functions', () => {
  test.each<[string, Json, Json]>([
    ['Ref', { Ref: 'Queue' }, '<Queue>'],
    ['GetAtt, list', { 'Fn::GetAtt': ['Table', 'Arn'] }, '<Table.Arn>'],
    ['GetAtt, text', { 'Fn::GetAtt': 'Table.Stream.Arn' }, '<Table.Stream.Arn>'],
    ['Join', { 'Fn::Join': ['-', ['a', { Ref: 'B' }, 1, true]] }, 'a-<B>-1-true'],
    ['Join of a list that is itself resolved', { 'Fn::Join': [',', { 'Fn::Split': ['/', 'x/y'] }] }, 'x,y'],
    ['Sub', { 'Fn::Sub': '${A}/${B.Arn}/${AWS::Region}/${!C}' }, '<A>/<B.Arn>/<AWS::Region>/${C}'],
    ['Sub with its own variables', { 'Fn::Sub': ['${A}-${B}', { A: { Ref: 'X' } }] }, '<X>-<B>'],
    ['Select of Split', { 'Fn::Select': [1, { 'Fn::Split': [':', { Ref: 'X:Y' }] }] }, 'Y>'],
    ['nested', { a: [{ b: { Ref: 'C' } }] }, { a: [{ b: '<C>' }] }],
    ['NoValue', { a: { Ref: 'AWS::NoValue' }, b: [1, { Ref: 'AWS::NoValue' }] }, { b: [1] }],
    ['a property that happens to be called Ref', { Ref: 'A', other: 1 }, { Ref: 'A', other: 1 }],
  ])('%s', (_, value, expected) => {
    expect(resolve(value, scope)).toEqual(expected);
  });

  test.each<[Json, RegExp]>([
    [{ 'Fn::ImportValue': 'x' }, /does not know Fn::ImportValue; it knows Ref, Fn::GetAtt/],
    [{ a: [{ 'Fn::If': ['c', 1, 2] }] }, /does not know Fn::If/],
    [{ 'Fn::Join': ['', { a: 1 }] }, /Fn::Join takes a list/],
    [{ 'Fn::Join': ['', [{ a: 1 }]] }, /Fn::Join takes a string/],
    [{ Ref: ['x'] }, /Ref takes a string/],
    [{ 'Fn::Select': [7, ['a']] }, /no element 7/],
  ])('%j is refused', (value, message) => {
    expect(() => resolve(value, scope)).toThrow(LocalCloudError);
    expect(() => resolve(value, scope)).toThrow(message);
  });

  test('what holds no function stays as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // A lone key Ref or Fn::... is a function by definition.
        fc.pre(!/"(Ref|Fn::[^"]*)":/.test(JSON.stringify(value)));
        expect(resolve(value as Json, scope)).toEqual(value);
      }),
    );
  });
});
