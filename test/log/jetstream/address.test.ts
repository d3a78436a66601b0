import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { RequestError } from '../../../events/ledger-error.ts';
import { jetStreamAddress } from '../../../log/jetstream-address.ts';

test('the servers, the log, and what is used where nothing is said', () => {
  expect(jetStreamAddress('nats://a.example')).toEqual({
    name: 'nats://a.example',
    servers: ['a.example:4222'],
    log: 'vfio-ledger',
    login: {},
    tls: null,
    replicas: null,
  });
  expect(jetStreamAddress('nats://a:1,[::1]:2,b/lab_7?replicas=5&replica=/tmp/x')).toMatchObject({
    name: 'nats://a:1,[::1]:2,b/lab_7',
    servers: ['a:1', '[::1]:2', 'b:4222'],
    log: 'lab_7',
    replicas: 5,
  });
});

test('user and password, token, credentials, and files of TLS', () => {
  expect(jetStreamAddress('nats://u:p%40%3A:x@a').login).toEqual({ user: 'u', pass: 'p@::x' });
  expect(jetStreamAddress('nats://t%2Fk@a').login).toEqual({ token: 't/k' });
  expect(jetStreamAddress('nats://a?creds=/etc/u.creds').login).toEqual({ creds: '/etc/u.creds' });
  expect(jetStreamAddress('tls://a').tls).toEqual({});
  expect(jetStreamAddress('nats://a?ca=c.pem&cert=d.pem&key=e.pem').tls).toEqual({
    caFile: 'c.pem',
    certFile: 'd.pem',
    keyFile: 'e.pem',
  });
});

test.each([
  'nats://',
  'nats:///log',
  'nats://a:b',
  'nats://a:70000',
  'nats://a b',
  'nats://a,,b',
  'nats://a/x.y',
  'nats://a/x/y',
  'nats://a?replicas=0',
  'nats://a?replicas=3&replicas=3',
  'nats://a?replica',
  'nats://a?cert=c.pem',
  'nats://a?colour=red',
  'nats://%@a',
])('%s is no address', (address) => {
  expect(() => jetStreamAddress(address)).toThrow(RequestError);
});

test('no part of the credentials is in a name or an error', () => {
  const secret = fc.stringMatching(/^[A-Za-z\d]{12}$/);
  const addresses = fc.constantFrom(
    (word: string) => `nats://${word}@a`,
    (word: string) => `nats://u:${word}@a:1/log`,
    (word: string) => `nats://u:%${word}@a`,
    (word: string) => `nats://u:${word}@a:port`,
    (word: string) => `nats://u:${word}@a?creds=`,
    (word: string) => `nats://a?token=${word}`,
    (word: string) => `nats://a?${word}=1`,
    (word: string) => `nats://u:p@${word}@a`,
  );
  const shown = (address: string) => {
    try {
      return jetStreamAddress(address).name;
    } catch (error) {
      return String(error);
    }
  };
  fc.assert(
    fc.property(secret, addresses, (word, addressOf) => {
      expect(shown(addressOf(word))).not.toContain(word);
    }),
  );
});
