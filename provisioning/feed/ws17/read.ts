import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { CivilSeal } from '../civil.ts';
import { civilUnused } from '../civil.ts';
import type { Outbox } from '../outbox.ts';
import { createOutbox } from '../outbox.ts';
import type { PersonLog } from '../person-log.ts';
import { createPersonLog } from '../person-log.ts';
import type { FeedItem } from '../record.ts';
import { FeedError } from '../record.ts';
import { readDocument } from './document.ts';
import { closeReading, followEvent, openReading } from './reading.ts';

interface Document {
  readonly path: string;
  readonly file: string;
  readonly civil: CivilSeal;
}

/**
 * Reads WS17 (wsiEKSPORT) documents: a folder with one XML per institution, in the order of their
 * names, or one single file.
 *
 * @throws FeedError when any of the documents is cut, empty, not an export, wrongly encoded, or when
 * two speak of the same institution
 */
export async function* readWs17(p: {
  readonly path: string;
  readonly civil: CivilSeal;
}): AsyncGenerator<FeedItem> {
  const documents = await listDocuments(p);
  const outbox = createOutbox();
  const people = createPersonLog(outbox);
  yield await readHead({ documents, outbox });
  /** Institution number -> the file that spoke of it. */
  const files = new Map<string, string>();
  for (const document of documents) {
    yield* readOne({ document, outbox, people, files });
  }
  if (p.civil.unused) outbox.note(civilUnused);
  outbox.summarise();
  yield* outbox.take();
}

async function listDocuments(p: {
  readonly path: string;
  readonly civil: CivilSeal;
}): Promise<readonly Document[]> {
  const { path, civil } = p;
  const found = await stat(path).catch(() => null);
  if (found === null) {
    throw new FeedError({
      code: 'feed-not-found',
      message: 'The WS17 folder does not exist. Check the path of the source.',
    });
  }
  if (found.isFile()) return [{ path, file: basename(path), civil }];
  const names = (await readdir(path)).filter((name) => name.toLowerCase().endsWith('.xml')).sort();
  if (names.length === 0) {
    throw new FeedError({
      code: 'feed-empty',
      message: 'The WS17 folder holds no .xml file. Was the fetch run?',
    });
  }
  return names.map((file) => ({ path: join(path, file), file, civil }));
}

/**
 * The heads of all documents, read before their people. The snapshot is as old as its oldest
 * document. Its school year is the one that most ImportSources name (a manual source is often left
 * behind in last year), and of two that tie, the later.
 */
async function readHead(p: {
  readonly documents: readonly Document[];
  readonly outbox: Outbox;
}): Promise<FeedItem> {
  const votes = new Map<string, number>();
  let takenAt: string | null = null;
  for (const document of p.documents) {
    for await (const event of readDocument(document)) {
      if (event.type === 'export') {
        const time = toInstant(event.takenAt);
        if (time !== null && (takenAt === null || time < takenAt)) takenAt = time;
      }
      if (event.type === 'source' && /^\d{4}-\d{4}$/.test(event.schoolYear ?? '')) {
        const year = event.schoolYear ?? '';
        votes.set(year, (votes.get(year) ?? 0) + 1);
      }
      if (event.type === 'institution') break;
    }
  }
  const ranked = [...votes].sort(([a, m], [b, n]) => n - m || (a < b ? 1 : -1));
  if (ranked.length > 1) {
    p.outbox.note({
      code: 'school-year-mixed',
      severity: 'info',
      file: p.documents[0]?.file ?? '',
      line: null,
      field: 'schoolYear',
      message: 'The import sources name several school years; the one named most often counts.',
    });
  }
  return { type: 'snapshot', format: 'ws17', takenAt, schoolYear: ranked[0]?.[0] ?? null };
}

function toInstant(raw: string | null): string | null {
  const time = Date.parse(raw ?? '');
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

async function* readOne(p: {
  readonly document: Document;
  readonly outbox: Outbox;
  readonly people: PersonLog;
  readonly files: Map<string, string>;
}): AsyncGenerator<FeedItem> {
  const { document, outbox } = p;
  const reading = openReading({ ...p, file: document.file });
  for await (const event of readDocument(document)) {
    followEvent(reading, event);
    yield* outbox.take();
  }
  closeReading(reading);
}
