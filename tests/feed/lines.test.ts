import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unifyLineEnds } from '../../provisioning/feed/oneroster/lines.ts';

async function unify(chunks: readonly string[]): Promise<string> {
  async function* source(): AsyncGenerator<string> {
    yield* chunks;
  }
  return (await Array.fromAsync(unifyLineEnds(source()))).join('');
}

describe('unifyLineEnds', () => {
  it('gives the same wherever the chunks are cut, between CR and LF too', async () => {
    const piece = fc.constantFrom('a', 'b,c', '\r', '\n', '\r\n');
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
        const whole = pieces.join('');
        expect(await unify([...whole])).toBe(whole.replace(/\r\n?/g, '\n'));
      }),
    );
  });
});
