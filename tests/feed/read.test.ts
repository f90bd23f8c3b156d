import { describe, expect, it } from 'vitest';
import { parseFeedArgument } from '../../provisioning/feed/read.ts';

describe('parseFeedArgument', () => {
  it.each([
    ['ws17:./feed', { format: 'ws17', path: './feed' }],
    ['oneroster:/data/roster.zip', { format: 'oneroster', path: '/data/roster.zip' }],
    ['WS17: C:\\feed ', { format: 'ws17', path: 'C:\\feed' }],
  ])('reads %s', (text, source) => {
    expect(parseFeedArgument(text)).toEqual(source);
  });

  it.each(['', 'ws17', 'ws17:', ':x', './feed', 'csv:./feed'])(
    'refuses "%s" with the remedy',
    (text) => {
      expect(() => parseFeedArgument(text)).toThrow(/ws17:FOLDER or oneroster:/);
    },
  );
});
