import { trace } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { currentTraceparent, inSpan, linkTo } from '../../provisioning/trace/span.ts';
import { readEnvironment } from '../../services/env.ts';
import { openLog } from '../../services/log.ts';
import { moodleFunctionOf, patternOf } from '../../services/trace/routes.ts';
import { startTracing } from '../../services/trace/tracing.ts';
import { openLine } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';
import { openCollector } from './collector.ts';

const settingsOf = (url: string, timeoutMs: number) => ({
  url: `${url}/v1/traces`,
  service: 'x',
  ratio: 1,
  timeoutMs,
});

describe('traces are', () => {
  const read = (env: NodeJS.ProcessEnv) => readEnvironment(env).traces;

  it('off, unless the environment says where to', async () => {
    expect(read({})).toBeNull();
    expect(
      read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'true' }),
    ).toBeNull();
    expect(trace.getTracer('x').startSpan('x').isRecording()).toBe(false);
    await inSpan({ name: 'x', work: async () => expect(currentTraceparent()).toBeNull() });
    await using line = await openLine();
    await line.day({ roster: smallRoster({ pupils: 1 }), now: new Date() });
    const plans = await line.database.as(line.tenant, (tx) =>
      tx.query<{ traceparent: string | null }>('select traceparent from plan'),
    );
    expect(plans).toEqual([{ traceparent: null }]);
  });

  it('sent where the usual variables say', () => {
    expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/' })).toEqual({
      url: 'http://c:4318/v1/traces',
      service: 'skolebus',
      ratio: 1,
      timeoutMs: 3000,
    });
    expect(
      read({
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318',
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://t/x',
        OTEL_SERVICE_NAME: 'bus',
        OTEL_TRACES_SAMPLER_ARG: '0.1',
        OTEL_EXPORTER_OTLP_TIMEOUT: '500',
      }),
    ).toEqual({ url: 'https://t/x', service: 'bus', ratio: 0.1, timeoutMs: 500 });
  });

  it('lost, and nothing else, when the collector is away', async () => {
    let troubles = 0;
    const settings = settingsOf('http://127.0.0.1:9', 500);
    const tracing = startTracing({
      settings,
      onTrouble: () => {
        troubles += 1;
      },
    });
    await inSpan({ name: 'x', work: async () => {} });
    await tracing[Symbol.asyncDispose]();
    expect(troubles).toBe(1);
    expect(trace.getTracer('x').startSpan('x').isRecording()).toBe(false);
  });
});

describe('a span', () => {
  it('tells the code of an error, never its message', async () => {
    await using collector = await openCollector();
    const settings = settingsOf(collector.url, 3000);
    {
      await using _tracing = startTracing({ settings, onTrouble: () => {} });
      const error = Object.assign(new Error('Key (username)=(kaja4321)'), { code: '23505' });
      const failing = inSpan({ name: 'x', work: () => Promise.reject(error) });
      await expect(failing).rejects.toBe(error);
      const odd = Object.assign(new Error('x'), { code: 'kaja 4321' });
      await inSpan({ name: 'y', work: () => Promise.reject(odd) }).catch(() => {});
    }
    expect(collector.spans.map(({ name, facts }) => [name, facts])).toEqual([
      ['x', { 'error.type': '23505' }],
      ['y', { 'error.type': 'Error' }],
    ]);
    for (const body of collector.bodies) expect(body.includes('4321')).toBe(false);
  });

  it('is named in every line of the log that is written in it', async () => {
    const lines: string[] = [];
    const to = { write: (line: string) => lines.push(line) };
    const logger = openLog({ level: 'info', to });
    logger.info('before');
    await using collector = await openCollector();
    {
      await using _tracing = startTracing({
        settings: settingsOf(collector.url, 3000),
        onTrouble: () => {},
      });
      await inSpan({ name: 'x', work: async () => logger.info('in it') });
    }
    const [before, within] = lines.map((line) => JSON.parse(line) as object);
    expect(before).not.toHaveProperty('traceId');
    expect(within).toMatchObject({ traceId: collector.spans[0]?.traceId });
  });

  it('goes on with what a traceparent names, and with nothing else', async () => {
    await using collector = await openCollector();
    const settings = settingsOf(collector.url, 3000);
    let first: string | null = null;
    {
      await using _tracing = startTracing({ settings, onTrouble: () => {} });
      await inSpan({
        name: 'first',
        work: async () => {
          first = currentTraceparent();
        },
      });
      const texts = [first ?? '', 'nonsense', `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`];
      await inSpan({ name: 'next', root: true, work: async (span) => linkTo(span, texts) });
    }
    const [one, next] = collector.spans;
    expect(first).toBe(`00-${one?.traceId}-${one?.spanId}-01`);
    expect(next?.links).toEqual([{ traceId: one?.traceId, spanId: one?.spanId }]);
  });
});

describe('a call', () => {
  it.each([
    ['/admin/realms/kommune/users/0b9f?briefRepresentation=true', '/admin/realms/*/users/*'],
    ['/ocs/v2.php/cloud/users/kaja4321/groups', '/ocs/v2.php/cloud/users/*/groups'],
    ['/remote.php/dav/files/bus/7.A%202026/Afleveringer', '/remote.php/dav/files/*/*/*'],
    ['/admin/realms/kommune/users/', '/admin/realms/*/users'],
    ['/kaja4321#users', '/*'],
    ['', ''],
  ])('to %s is told as %s', (path, pattern) => {
    expect(patternOf(path)).toBe(pattern);
  });

  it('to Moodle is told by a function that there is', () => {
    const form = 'wstoken=abc&wsfunction=core_user_create_users&users[0][username]=kaja4321';
    expect(moodleFunctionOf(form)).toBe('core_user_create_users');
    expect(moodleFunctionOf(Buffer.from(form))).toBe('core_user_create_users');
    expect(moodleFunctionOf('wsfunction=kaja4321')).toBeNull();
    expect(moodleFunctionOf(null)).toBeNull();
  });
});
