/**
 * Makes every line end a LF: LF, CRLF and CR alone (old Mac) come mixed within one set of files, and
 * one detected line end per file would swallow rows. A CR LF cut between two chunks stays one. Long
 * runs of blank lines become one: 64 MB of them took the parser 30 s.
 */
export async function* unifyLineEnds(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let carried = '';
  for await (const chunk of chunks) {
    const text = carried + chunk;
    carried = text.endsWith('\r') ? '\r' : '';
    const whole = carried === '' ? text : text.slice(0, -1);
    const unified = whole.includes('\r') ? whole.replace(/\r\n?/g, '\n') : whole;
    if (unified !== '') yield unified.replace(/\n{9,}/g, '\n\n');
  }
  if (carried !== '') yield '\n';
}
