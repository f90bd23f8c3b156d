import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { startTestRedis, whyNoRedis } from '../support/redis.ts';

const reason = whyNoRedis();

describe('the private Redis of the tests', () => {
  it('answers only who has the address, never evicts, and is gone afterwards', async (context) => {
    if (reason !== null) context.skip(reason);
    if (process.env['SKOLEBUS_TEST_REDIS_URL'] !== undefined) {
      context.skip('SKOLEBUS_TEST_REDIS_URL names a server that is not ours to judge');
    }
    const redis = await startTestRedis();
    const client = new Redis(redis.url);
    expect(await client.ping()).toBe('PONG');
    expect(await client.config('GET', 'maxmemory-policy')).toContain('noeviction');
    client.disconnect();

    const stranger = new Redis(redis.url.replace(/:\w+@/, ''), { retryStrategy: () => null });
    stranger.on('error', () => {});
    await expect(stranger.get('x')).rejects.toThrow(/NOAUTH/);
    stranger.disconnect();

    await redis[Symbol.asyncDispose]();
    const late = new Redis(redis.url, { lazyConnect: true, retryStrategy: () => null });
    late.on('error', () => {});
    await expect(late.connect()).rejects.toThrow();
    late.disconnect();
  });
});
