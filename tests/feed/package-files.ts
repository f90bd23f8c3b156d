import type { Reading } from './reading.ts';
import { place, read } from './reading.ts';

/** A OneRoster 1.1 bulk package in which everything is in order; tests deviate from it. */
export const good: Readonly<Record<string, string>> = {
  'manifest.csv': manifestOf({}),
  'academicSessions.csv':
    'sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\r\nT1,,,2026/27,schoolYear,2026-08-01,2027-07-31,,2027\r\n',
  'orgs.csv':
    'sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\r\nO1,,,Åskolen,school,A12249,\r\nO2,,,Kommunen,district,,\r\n',
  'classes.csv':
    'sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods\r\nC1,,,5A,05,K1,,homeroom,,O1,T1,,,\r\nC2,,,5. Tysk,05,K1,,scheduled,,O1,T1,Tysk,,\r\n',
  'users.csv':
    'sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password\r\nU1,,,true,O1,student,anna,{UNI-ID:anna1234},Zoë,Bæk,,,anna@x.example,,,,05,\r\nU2,,,true,O1,teacher,bent,{UNI-ID:bent1234},Bent,Ågård,,,,,,,,\r\n',
  'enrollments.csv':
    'sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\r\nE1,,,C1,O1,U1,student,,,\r\nE2,,,C2,O1,U1,student,,,\r\nE3,,,C1,O1,U2,teacher,true,,\r\n',
};

export const rolesHeader =
  'sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId';

export function manifestOf(p: Readonly<Record<string, string>>): string {
  const stated = {
    'manifest.version': '1.0',
    'oneroster.version': '1.1',
    'file.academicSessions': 'bulk',
    'file.orgs': 'bulk',
    'file.classes': 'bulk',
    'file.courses': 'absent',
    'file.users': 'bulk',
    'file.enrollments': 'bulk',
    ...p,
  };
  const rows = Object.entries(stated).map(([property, value]) => `${property},${value}\r\n`);
  return `propertyName,value\r\n${rows.join('')}`;
}

type Changes = Readonly<Record<string, string | Uint8Array | null>>;

/** The good package with some files in other words; null leaves a file out. */
export function packageOf(changes: Changes = {}): Record<string, string | Uint8Array> {
  const files = Object.entries({ ...good, ...changes });
  return Object.fromEntries(
    files.flatMap(([name, content]) => (content === null ? [] : [[name, content]])),
  );
}

/** A good file with one text put in the place of another, which must be there. */
export function altered(file: string, from: string, to: string): string {
  const text = good[file] ?? '';
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  return text.replaceAll(from, to);
}

export async function readPackage(changes: Changes = {}): Promise<Reading> {
  return read('oneroster', await place(packageOf(changes)));
}
