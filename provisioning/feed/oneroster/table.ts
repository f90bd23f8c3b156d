import Papa from 'papaparse';
import { decodeText } from '../charset.ts';
import type { Outbox } from '../outbox.ts';
import type { Diagnostic, FeedErrorCode } from '../record.ts';
import { FeedError } from '../record.ts';
import { cleanText } from '../text.ts';
import type { Header } from './header.ts';
import { readHeader } from './header.ts';
import { unifyLineEnds } from './lines.ts';

export interface Row {
  /** The header is row 1. */
  readonly number: number;
  /** The cleaned cell; null where the column or the text is absent. `column` is lower-cased. */
  get(column: string): string | null;
  has(column: string): boolean;
  /** More cells than the header: none can be trusted but the first. */
  readonly outOfStep: boolean;
}

export interface TableSource {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly file: string;
  /** `users`, `orgs`, ... */
  readonly entity: string;
  readonly required: readonly string[];
  readonly outbox: Outbox;
}

/** A quoted cell that goes on for longer than this has lost its closing quote. */
const longestRow = 1024 * 1024;

/**
 * Streams the rows of one CSV file (RFC 4180; also `;` and tab) in constant memory.
 *
 * papaparse is used a stretch of text at a time: given a byte stream it cut letters in two (19 of
 * 1.48 M values were corrupt, measured), so the bytes are decoded before it.
 *
 * @throws FeedError feed-truncated (cut inside a cell or a row), feed-empty (not even a header),
 * feed-column-missing, feed-malformed (a quote that swallows rows), feed-wrong-charset
 */
export async function* readRows(p: TableSource): AsyncGenerator<Row> {
  let state: Progress | null = null;
  let text = '';
  const bytes = decodeText({ bytes: p.bytes, file: p.file, encoding: 'utf-8' });
  for await (const chunk of unifyLineEnds(bytes)) {
    text += chunk;
    if (text.includes('\n')) {
      state ??= begin(p, text);
      const parsed = parse({ state, source: p, text, last: false });
      text = text.slice(parsed.used);
      yield* toRows(p, state, parsed.rows);
    }
    if (text.length > longestRow) {
      throw refuse(p, 'feed-malformed', 'has a quote that is never closed. Export it again.');
    }
  }
  if (text !== '') {
    state ??= begin(p, text);
    const parsed = parse({ state, source: p, text, last: true });
    refuseCutRow(p, state, parsed.rows.at(-1));
    yield* toRows(p, state, parsed.rows);
  }
  if (state === null || state.header === null) {
    throw refuse(p, 'feed-empty', 'is empty, without even a header. Export it again.');
  }
}

interface Progress {
  readonly parser: Papa.Parser;
  header: Header | null;
  number: number;
  /** Cells of the last row, to tell a short row from a cut one. */
  cells: number;
}

function begin(p: TableSource, text: string): Progress {
  const first = text.slice(0, text.indexOf('\n') === -1 ? undefined : text.indexOf('\n'));
  const count = (mark: string): number => first.split(mark).length;
  const delimiter = [';', '\t'].reduce((a, b) => (count(b) > count(a) ? b : a), ',');
  if (delimiter !== ',') {
    note(p, 'delimiter-odd', 'info', 1, 'The cells are not separated by commas; understood.');
  }
  const parser = new Papa.Parser({ delimiter, newline: '\n', quoteChar: '"' });
  return { parser, header: null, number: 0, cells: Number.POSITIVE_INFINITY };
}

function parse(p: {
  readonly state: Progress;
  readonly source: TableSource;
  readonly text: string;
  readonly last: boolean;
}): { readonly rows: readonly (readonly string[])[]; readonly used: number } {
  const result: Papa.ParseResult<string[]> = p.state.parser.parse(p.text, 0, !p.last);
  for (const error of result.errors) {
    if (error.code === 'MissingQuotes') {
      throw refuse(p.source, 'feed-truncated', 'ends inside a quoted cell: it was cut.');
    }
    if (error.code === 'InvalidQuotes' && (error.row ?? 0) < result.data.length) {
      const message =
        'has a quote in the middle of a cell: rows may be swallowed. Export it again.';
      throw refuse(p.source, 'feed-malformed', message);
    }
  }
  return { rows: result.data, used: result.meta.cursor };
}

/** Called for a last row without line end. Fewer cells than its neighbours: the file was cut there. */
function refuseCutRow(p: TableSource, state: Progress, cells: readonly string[] | undefined): void {
  const width = Math.min(state.header?.width ?? 0, state.cells);
  if (cells !== undefined && cells.length < width) {
    throw refuse(p, 'feed-truncated', 'ends in the middle of a row: it was cut. Fetch it again.');
  }
  note(
    p,
    'last-line-open',
    'warning',
    null,
    'The last row has no line end. If the file was cut there, the end of its last cell is missing.',
  );
}

function* toRows(
  p: TableSource,
  state: Progress,
  rows: readonly (readonly string[])[],
): Generator<Row> {
  for (const cells of rows) {
    state.number += 1;
    if (cells.every((cell) => cell.trim() === '')) continue;
    if (state.header === null) {
      state.header = openHeader(p, cells);
      continue;
    }
    yield toRow({ source: p, state, header: state.header, cells });
  }
}

function openHeader(p: TableSource, cells: readonly string[]): Header {
  const header = readHeader({ cells, entity: p.entity, file: p.file, note: p.outbox.note });
  const missing = p.required.filter((column) => !header.index.has(column));
  if (missing.length === 0) return header;
  const message = `lacks the column ${missing.join(', ')}. Export it with its OneRoster header.`;
  throw refuse(p, 'feed-column-missing', message);
}

function toRow(p: {
  readonly source: TableSource;
  readonly state: Progress;
  readonly header: Header;
  readonly cells: readonly string[];
}): Row {
  const { source, state, header, cells } = p;
  const { number } = state;
  state.cells = cells.length;
  if (cells.length < header.width) {
    const message = 'A row has fewer cells than the header; the missing ones are read as empty.';
    note(source, 'row-short', 'info', number, message);
  }
  if (cells.some((cell) => cell.includes('\n'))) {
    const message = 'A cell goes over several lines; if a quote was lost, it hides rows.';
    note(source, 'cell-multiline', 'warning', number, message);
  }
  // A comma too many shifts every cell behind it, even where the last one is empty.
  const outOfStep = cells.length > header.cells;
  return {
    number,
    outOfStep,
    has: (column) => header.index.has(column),
    get: (column) => {
      const i = header.index.get(column);
      return i === undefined ? null : cleanText(cells[i]);
    },
  };
}

function note(
  p: TableSource,
  code: string,
  severity: Diagnostic['severity'],
  line: number | null,
  message: string,
): void {
  p.outbox.note({ code, severity, file: p.file, line, field: null, message });
}

function refuse(p: TableSource, code: FeedErrorCode, what: string): FeedError {
  return new FeedError({ code, message: `${p.file} ${what}`, file: p.file });
}
