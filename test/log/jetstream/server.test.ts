import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createUser } from '@nats-io/nkeys';
import { afterEach, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../events/ledger-error.ts';
import type { Engine } from '../../../log/engine.ts';
import { jetStreamEngine } from '../../../log/jetstream-engine.ts';
import { entryOf, rowsAfter } from '../../../log/row.ts';
import { closedMany } from '../sample.ts';
import { type Cluster, natsServer, startCluster } from './cluster.ts';
import './without-server.ts';
import { inCampaigns } from '../../support/effort.ts';

describe.skipIf(natsServer === undefined)('one server', () => {
  const ends: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  async function start(
    ...options: Parameters<typeof startCluster> extends [unknown, ...infer O] ? O : never
  ) {
    const server = await startCluster(1, ...options);
    ends.push(server.stop);
    const [{ port }] = server.servers as [Cluster['servers'][number]];
    return { server, host: `127.0.0.1:${port}` };
  }

  async function open(address: string): Promise<Engine> {
    const engine = await jetStreamEngine(address, { patienceMs: 500 });
    ends.push(() => engine.close());
    return engine;
  }

  async function append(engine: Engine) {
    const head = await engine.head('a');
    return engine.append('a', head, rowsAfter(head, closedMany(1, head.position + 1).map(entryOf)));
  }

  async function refused(address: string, code: ErrorCode, words: RegExp): Promise<string> {
    const opening = open(address).then(append);
    await expect(opening).rejects.toMatchObject({ code });
    const error: unknown = await opening.catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(words);
    return `${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`;
  }

  function folder(): string {
    const path = mkdtempSync(join(tmpdir(), 'vfio-ledger-nats-'));
    ends.push(() => rmSync(path, { recursive: true }));
    return path;
  }

  test('keeps the log in one replica, and this is said', async () => {
    const { server, host } = await start();
    const engine = await open(`nats://${host}/log`);
    expect(engine.notes).toEqual([`nats://${host}/log keeps the log in one replica only`]);
    await append(engine);
    const { config } = await server.manage((manager) => manager.streams.info('log'));
    expect(config.num_replicas).toBe(1);
  });

  test('says nothing where one replica was asked for, and refuses three', async () => {
    const { host } = await start();
    const engine = await open(`nats://${host}/log?replicas=1`);
    await append(engine);
    expect(engine.notes).toEqual([]);
    await refused(`nats://${host}/other?replicas=3`, 'unavailable', /replicas > 1 not supported/);
    await refused(`nats://${host}/log?replicas=3`, 'bad-request', /has 1 replicas, not 3/);
  });

  test.each(inCampaigns)('that is away is unavailable, %s', async () => {
    const { server, host } = await start();
    const engine = await open(`nats://${host}`);
    await append(engine);
    await server.stop();
    await expect(append(engine)).rejects.toMatchObject({ code: 'unavailable' });
    await refused(`nats://u:secret@${host}`, 'unavailable', /connection refused/);
  });

  test.each(inCampaigns)('without JetStream has no log, %s', async () => {
    const { host } = await start({ hasJetStream: false });
    await refused(`nats://${host}`, 'unavailable', /JetStream does not answer: it is not enabled/);
  });

  test('with another stream of the same name has no log', async () => {
    const { server, host } = await start();
    await server.manage((manager) => manager.streams.add({ name: 'log', subjects: ['log.*'] }));
    await refused(`nats://${host}/log`, 'not-a-log', /the stream log of nats:.* is not a log/);
    await server.manage((manager) =>
      manager.streams.add({ name: 'new', subjects: ['new.*'], metadata: { 'vfio-ledger': '2' } }),
    );
    await refused(
      `nats://${host}/new`,
      'newer-schema',
      /a newer release wrote nats:.* \(format 2\)/,
    );
  });

  test.each([
    ['a user and a password', 'authorization { user: me, password: "s3cret/x" }', 'me:s3cret%2Fx'],
    ['a token', 'authorization { token: "s3cret/x" }', 's3cret%2Fx'],
  ])('that wants %s gets it, and no message tells it', async (_, config, login) => {
    const { host } = await start({ config, admin: login });
    const engine = await open(`nats://${login}@${host}/log`);
    await append(engine);
    expect(engine.name).toBe(`nats://${host}/log`);
    const wrong = `nats://${login}no@${host}/log`;
    const told = await refused(wrong, 'unavailable', /refuses the user, password, token or/);
    expect(told).not.toContain('s3cret');
    await refused(`nats://${host}/log`, 'unavailable', /refuses the user, password, token or/);
  });

  test('that wants credentials gets those of a file, and no message tells them', async () => {
    const user = createUser();
    const { host } = await start({
      config: `authorization { users: [{ nkey: ${user.getPublicKey()} }, { user: me, password: me }] }`,
      admin: 'me:me',
    });
    const seed = new TextDecoder().decode(user.getSeed());
    const path = join(folder(), 'user.creds');
    const lines = (kind: string, text: string) =>
      `-----BEGIN ${kind}-----\n${text}\n------END ${kind}------\n`;
    writeFileSync(
      path,
      `${lines('NATS USER JWT', 'e30.e30.e30')}\n${lines('USER NKEY SEED', seed)}`,
    );
    await append(await open(`nats://${host}/log?creds=${path}`));

    writeFileSync(path, lines('USER NKEY SEED', seed.replace(/.{8}$/, 'AAAAAAAA')));
    const told = await refused(`nats://${host}/log?creds=${path}`, 'unavailable', /credentials/);
    expect(told).not.toContain(seed.slice(0, 20));
    await refused(`nats://${host}?creds=/nowhere.creds`, 'unavailable', /nowhere.creds.*ENOENT/);
  });

  test('that forbids to write names what is forbidden', async () => {
    const config = `authorization { users: [
      { user: me, password: me }
      { user: reader, password: s3cret, permissions: { publish: ["$JS.API.>"] } }
    ] }`;
    const { host } = await start({ config, admin: 'me:me' });
    await append(await open(`nats://me:me@${host}/log`));
    const reader = `nats://reader:s3cret@${host}/log`;
    const told = await refused(reader, 'unavailable', /the account may not use log\.a/);
    expect(told).not.toContain('s3cret');
    const engine = await open(reader);
    expect(await engine.head('a')).toMatchObject({ position: 0 });
    for await (const rows of engine.read('a', 0)) expect(rows).toHaveLength(1);
  });

  // The client compares the certificate of a server that is named by number with `localhost`.
  test('with TLS is believed if its certificate is', async () => {
    const path = folder();
    const [key, cert] = [join(path, 'key.pem'), join(path, 'cert.pem')];
    const subject = ['-subj', '/CN=nats', '-addext', 'subjectAltName=DNS:localhost'];
    const files = ['-keyout', key, '-out', cert];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '2', ...subject, ...files],
      { stdio: 'ignore' },
    );
    const config = `tls { cert_file: "${cert}", key_file: "${key}" }`;
    const { host } = await start({ config, ca: cert });
    await append(await open(`tls://${host}/log?ca=${cert}`));
    await append(await open(`nats://${host}/log?ca=${cert}`));
    await refused(`tls://${host}/log`, 'unavailable', /self-signed certificate/);
    const { host: plain } = await start();
    await refused(`tls://${plain}/log`, 'unavailable', /does not support 'tls'/);
  });
});
