/**
 * Real software as a judge: Debian's own programs, unmodified, that check their results themselves, or whose results
 * are known. Vectors are on, so that the C library and OpenSSL use them. With TEST_FULL=1 only: some minutes each.
 */
import { createCipheriv, createHash, createHmac, createPrivateKey, sign } from 'node:crypto';
import type { EngineOptions } from '../../engine/cpu/hart';
import { describeWith, type Requirement } from '../requirement';
import { debianImages } from './debian';
import { judge, judgeImages } from './judge-guest';

const asked: Requirement = {
  missing: process.env['TEST_FULL'] === '1' ? undefined : 'takes some minutes: TEST_FULL=1',
};
const cpu = ['rva22', 'v'];
const engines: readonly (readonly [name: EngineOptions['kind'], scale: number])[] = [
  ['translator', 10],
  ['interpreter', 1],
];
const patience = 3_600_000;

/** stress-ng's own verdict on its workers. */
const passed = (output: string, stressor: string): void => {
  expect(output).toMatch(new RegExp(`passed: 1: ${stressor} \\(1\\)`));
  expect(output).toMatch(/failed: 0\n/);
  expect(output).not.toMatch(/stress-ng: (fail|error)/);
  expect(output).toContain('hv.run=judge ended with status 0');
};

describeWith([asked, debianImages, judgeImages], 'Debian’s programs as judges', () => {
  describe.each(engines)('by the %s', (kind, scale) => {
    const run = (script: string): string => judge(script, cpu, { kind });

    // Each operation is one of some 90 methods; 0 is as many workers as there are harts.
    it.each([
      ['cpu', 30 * scale],
      ['fp', 12 * scale],
      ['vecmath', 2 * scale],
    ] as const)(
      'stress-ng --%s 0 --verify, %i operations',
      (stressor, operations) => {
        const output = run(`stress-ng --${stressor} 0 --${stressor}-ops ${operations} --verify`);
        passed(output, stressor);
      },
      patience,
    );

    it.each([
      ['test_math', 'test_float', 'test_struct'],
      ...(kind === 'translator' ? [['test_decimal']] : []),
    ])(
      'python3: %s %s %s',
      (...names: string[]) => {
        const modules = names.filter((name) => name !== undefined).map((name) => `test.${name}`);
        const output = run(`python3 -m unittest -q ${modules.join(' ')} 2>&1`);
        expect(output).toMatch(/Ran \d{2,} tests in [\d.]+s\n\nOK/);
        expect(output).toContain('hv.run=judge ended with status 0');
      },
      patience,
    );

    it(
      'openssl: digests, ciphers and signatures are those of the host’s library',
      () => {
        const lines = 20_000 * scale;
        const data = Buffer.from(Array.from({ length: lines }, (_, line) => `${line + 1}\n`).join(''));
        const output = run(opensslScript(lines));
        for (const [name, value] of expectedOf(data)) {
          expect([name, lineOf(output, name)]).toEqual([name, value]);
        }
        expect(output.match(/^verified: .*(OK|Success)/gim)).toHaveLength(verifications.length);
        expect(output).toContain('hv.run=judge ended with status 0');
      },
      patience,
    );
  });
});

const digests = ['md5', 'sha1', 'sha256', 'sha512', 'sha3-256', 'blake2b512', 'blake2s256', 'sm3'] as const;
const ciphers = [
  ['aes-128-cbc', 16, 16], ['aes-256-ctr', 32, 16], ['aes-192-ecb', 24, 0], ['chacha20', 32, 16],
  ['camellia-256-cbc', 32, 16], ['aria-128-ctr', 16, 16], ['sm4-cbc', 16, 16],
] as const; // prettier-ignore
const hex = (length: number, byte: string): string => byte.repeat(length);

/** RFC 8032, section 7.1, test 1: a signature by Ed25519 follows from key and message. */
const ed25519 = createPrivateKey({
  key: Buffer.from(
    '302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'hex',
  ),
  format: 'der',
  type: 'pkcs8',
});

/** Keys that are made in the guest: what one half says, the other must confirm. */
const verifications = [
  'RSA -pkeyopt rsa_keygen_bits:1024',
  'EC -pkeyopt ec_paramgen_curve:P-256',
  'ED448',
] as const;

const opensslScript = (lines: number): string => `
seq 1 ${lines} > /tmp/data
for digest in ${digests.join(' ')}; do echo "$digest = $(openssl dgst -r -$digest /tmp/data | cut -d ' ' -f 1)"; done
echo "hmac = $(openssl mac -digest SHA256 -macopt hexkey:${hex(20, '0b')} -in /tmp/data HMAC)"
${ciphers
  .map(
    ([name, key, iv]) =>
      `echo "${name} = $(openssl enc -${name} -K ${hex(key, 'a7')} ${iv > 0 ? `-iv ${hex(iv, '3c')}` : ''} -in /tmp/data | sha256sum | cut -d ' ' -f 1)"`,
  )
  .join('\n')}
cat > /tmp/ed25519 <<'END'
${String(ed25519.export({ format: 'pem', type: 'pkcs8' })).trim()}
END
echo "ed25519 = $(openssl pkeyutl -sign -rawin -inkey /tmp/ed25519 -in /tmp/data | sha256sum | cut -d ' ' -f 1)"
openssl dgst -sha256 -binary /tmp/data > /tmp/digest
${verifications
  .map(
    (algorithm) => `
openssl genpkey -quiet -algorithm ${algorithm} -out /tmp/key
openssl pkey -in /tmp/key -pubout -out /tmp/public
${
  algorithm === 'ED448'
    ? 'openssl pkeyutl -sign -rawin -inkey /tmp/key -in /tmp/digest -out /tmp/signature'
    : 'openssl pkeyutl -sign -inkey /tmp/key -in /tmp/digest -out /tmp/signature'
}
echo "verified: $(openssl pkeyutl -verify ${algorithm === 'ED448' ? '-rawin ' : ''}-pubin -inkey /tmp/public -in /tmp/digest -sigfile /tmp/signature)"`,
  )
  .join('')}
for prime in 170141183460469231731687303715884105727; do openssl prime $prime; done
`;

const lineOf = (output: string, name: string): string | undefined =>
  output
    .split('\n')
    .find((line) => line.startsWith(`${name} = `))
    ?.slice(name.length + 3)
    .toLowerCase();

function expectedOf(data: Uint8Array): readonly (readonly [name: string, value: string])[] {
  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const encrypted = (name: string, key: number, iv: number): Uint8Array => {
    const cipher = createCipheriv(name, Buffer.alloc(key, 0xa7), iv > 0 ? Buffer.alloc(iv, 0x3c) : null);
    return Buffer.concat([cipher.update(data), cipher.final()]);
  };
  return [
    ...digests.map((name) => [name, createHash(name).update(data).digest('hex')] as const),
    ['hmac', createHmac('sha256', Buffer.alloc(20, 0x0b)).update(data).digest('hex')],
    ...ciphers.map(([name, key, iv]) => [name, sha256(encrypted(name, key, iv))] as const),
    ['ed25519', sha256(sign(null, data, ed25519))],
  ];
}
