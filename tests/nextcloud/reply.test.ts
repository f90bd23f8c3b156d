import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NextcloudError, outcomeOf } from '../../provisioning/target/nextcloud/failure.ts';
import { parseQuota, readQuota } from '../../provisioning/target/nextcloud/quota.ts';
import { readReply } from '../../provisioning/target/nextcloud/session.ts';

const asked = { method: 'POST', path: '/ocs/v2.php/cloud/users' } as const;

describe('reading an answer', () => {
  it.each([
    ['v2 success', 200, '{"ocs":{"meta":{"statuscode":200,"message":"OK"},"data":[]}}', true, 200],
    ['v1 success', 200, '{"ocs":{"meta":{"statuscode":100,"message":"OK"},"data":[]}}', true, 100],
    [
      'v1 failure under HTTP 200',
      200,
      '{"ocs":{"meta":{"statuscode":102,"message":""},"data":[]}}',
      false,
      102,
    ],
    ['Team folders without envelope', 404, '{"message":"Groupfolder not found"}', false, 404],
    ['a missing parameter on 34.0.1', 400, '', false, 400],
    [
      'XML from 29.0.1',
      401,
      '<?xml version="1.0"?><ocs><meta><statuscode>997</statuscode></meta></ocs>',
      false,
      997,
    ],
  ])('%s', (_title, status, text, ok, code) => {
    const reply = readReply({ asked, answer: { status, headers: {}, text } });

    expect(reply).toMatchObject({ ok, code });
  });

  it.each([
    ['a proxy’s page', 502, '<html>', {}, 'server-error'],
    ['a page under HTTP 200', 200, '<!DOCTYPE html>', {}, 'server-error'],
    ['a redirect', 301, '', { location: 'https://sky.example.test/' }, 'not-nextcloud'],
    ['maintenance', 503, '<!DOCTYPE html>', { 'x-nextcloud-maintenance-mode': '1' }, 'maintenance'],
    ['a proxy without a backend', 503, '<!DOCTYPE html>', { 'retry-after': '120' }, 'busy'],
    ['too many requests', 429, '', { 'retry-after': '7' }, 'too-many-requests'],
  ])('throws on %s', (_title, status, text, headers, code) => {
    expect(() => readReply({ asked, answer: { status, headers, text } })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('waits as long as the server asks for', () => {
    const answer = { status: 429, headers: { 'retry-after': '7' }, text: '' };
    let thrown: unknown;
    try {
      readReply({ asked, answer });
    } catch (error) {
      thrown = error;
    }

    expect(thrown).toBeInstanceOf(NextcloudError);
    expect(outcomeOf(thrown as NextcloudError)).toMatchObject({ state: 'retry', afterMs: 7000 });
  });

  it('takes no wild answer for a success, and fails in one known way only', () => {
    const wild = fc.oneof(fc.string(), fc.json(), fc.constant('{"ocs":null}'), fc.constant('[]'));
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), wild, (status, text) => {
        try {
          return !readReply({ asked, answer: { status, headers: {}, text } }).ok;
        } catch (error) {
          return error instanceof NextcloudError;
        }
      }),
    );
  });
});

describe('quotas', () => {
  it.each([
    ['none', 'unlimited'],
    ['default', 'default'],
    ['5 GB', 5 * 1024 ** 3],
    ['512 MB', 512 * 1024 ** 2],
    ['0 B', 0],
    ['1.5 GB', 1.5 * 1024 ** 3],
    ['mange', null],
    ['', null],
    ['-3', null],
  ])('%s', (text, expected) => {
    expect(parseQuota(text)).toBe(expected);
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 10_000 }),
        fc.constantFrom('B', 'KB', 'MB', 'GB', 'TB'),
        (size, unit) => {
          const bytes = parseQuota(`${size} ${unit}`);
          return typeof bytes === 'number' && readQuota(bytes) === bytes;
        },
      ),
    );
    expect([readQuota(-3), readQuota('none')]).toEqual(['unlimited', 'unlimited']);
  });
});
