import type { FeedErrorCode } from '../../provisioning/feed/record.ts';
import type { Reading } from './reading.ts';
import { place, read, refusal } from './reading.ts';

/** Parts of a small export; what is left out is filled in so that it is in order. */
export interface Parts {
  readonly number?: string | null;
  readonly name?: string;
  readonly groups?: string;
  readonly persons?: string;
  readonly sources?: string;
  readonly root?: string;
  readonly attributes?: string;
}

export const classes =
  '<Group><GroupId>G1</GroupId><GroupName>5A</GroupName><GroupType>Hovedgruppe</GroupType><GroupLevel>5</GroupLevel><Line>A</Line></Group>' +
  '<Group><GroupId>G2</GroupId><GroupName>SFO</GroupName><GroupType>SFO</GroupType></Group>';

export function exportOf(p: Parts = {}): string {
  const root = p.root ?? 'UNILoginExportFullMyndighed';
  const attributes =
    p.attributes ?? 'exportDateTime="2026-11-02T06:00:00+01:00" accessLevel="full"';
  const number =
    p.number === null ? '' : `<InstitutionNumber>${p.number ?? 'A12249'}</InstitutionNumber>`;
  return `<?xml version="1.0" encoding="UTF-8"?><${root} ${attributes}>${
    p.sources ?? '<ImportSource source="s" schoolYear="2026-2027"/>'
  }<Institution>${number}${p.name ?? '<InstitutionName>Åskolen</InstitutionName>'}${
    p.groups ?? classes
  }${p.persons ?? pupil('anna1234') + teacher('bent1234')}</Institution></${root}>`;
}

export function person(
  id: string,
  inner = '<FirstName>Zoë</FirstName><FamilyName>Bæk</FamilyName>',
  guard = 'false',
): string {
  return `<Person protected="${guard}">${inner}<UserId>${id}</UserId></Person>`;
}

export function pupil(id: string, student = '', who = person(id)): string {
  const choice = student || '<Role>Elev</Role><Level>5</Level><MainGroupId>G1</MainGroupId>';
  return `<InstitutionPerson source="s"><LocalPersonId>L-${id}</LocalPersonId>${who}<Student>${choice}</Student></InstitutionPerson>`;
}

export function teacher(id: string, employee = '<Role>Lærer</Role><GroupId>G1</GroupId>'): string {
  return `<InstitutionPerson source="s">${person(id)}<Employee>${employee}</Employee></InstitutionPerson>`;
}

export async function readXml(xml: string | Uint8Array): Promise<Reading> {
  return read('ws17', await place({ 'A12249.xml': xml }));
}

export async function refuseXml(xml: string | Uint8Array): Promise<FeedErrorCode | null> {
  return refusal('ws17', await place({ 'A12249.xml': xml }));
}
