/**
 * The Keycloak distribution for tests, without Docker: fetched by Maven into the cache folder,
 * unzipped and built once. Everything here is skipped when the cache already holds it.
 */

import { execFile } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { delimiter, dirname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { openPromise } from 'yauzl';

const run = promisify(execFile);

/**
 * The version we want first. 26.7.5 is a patch line with the same security fixes and is what Maven
 * Central answered for when 26.8.1 was not there; 26.7.1 and 26.7.2 are 30-40 times slower.
 */
const versions = ['26.8.1', '26.7.5'] as const;

export interface KeycloakDistribution {
  readonly home: string;
  readonly version: string;
  /** The JDK to run it with. */
  readonly javaHome: string;
}

const cache =
  process.env['SKOLEBUS_CACHE'] ?? resolve(import.meta.dirname, '../../.skolebus/cache');

/** The distribution, ready to start, or the reason why there is none on this machine. */
export async function findKeycloakDistribution(): Promise<
  KeycloakDistribution | { readonly leftOut: string }
> {
  const javaHome = await findJava();
  if (javaHome === null) return { leftOut: 'no Java 17 or newer was found (JAVA_HOME, PATH)' };
  const missing: string[] = [];
  for (const version of versions) {
    const home = join(cache, `keycloak-${version}`);
    if (!existsSync(home)) {
      if (!hasMaven())
        return { leftOut: 'Keycloak is not in the cache and mvn is not on the PATH' };
      if (!(await install({ version, home, javaHome }))) {
        missing.push(version);
        continue;
      }
    }
    if (missing.length > 0) {
      console.warn(
        `Keycloak ${missing.join(', ')} could not be fetched; using ${version} instead.`,
      );
    }
    return { home, version, javaHome };
  }
  return { leftOut: `Maven could not fetch Keycloak ${missing.join(' or ')}` };
}

async function install(p: {
  readonly version: string;
  readonly home: string;
  readonly javaHome: string;
}): Promise<boolean> {
  const zip = await fetchZip(p.version);
  if (zip === null) return false;
  // Built under another name, then renamed: two test files that start at once never see a half one.
  const building = join(cache, `building-${p.version}-${process.pid}-${Date.now()}`);
  await unzip({ zip, into: building });
  const [top] = await readdir(building);
  const home = join(building, String(top));
  await run(join(home, 'bin/kc.sh'), ['build', '--db=dev-mem', '--cache=local'], {
    env: { ...process.env, JAVA_HOME: p.javaHome },
  });
  if (!existsSync(p.home)) {
    await rename(home, p.home).catch((error: unknown) => {
      if (!existsSync(p.home)) throw error;
    });
  }
  await rm(building, { recursive: true, force: true });
  await rm(dirname(zip), { recursive: true, force: true });
  return true;
}

/** A version that was not found is remembered for a day: Maven needs 6 s to say so. */
async function fetchZip(version: string): Promise<string | null> {
  const absent = join(cache, `keycloak-${version}.absent`);
  const since = await stat(absent).catch(() => null);
  if (since !== null && Date.now() - since.mtimeMs < 24 * 3600_000) return null;
  const folder = join(cache, `download-${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    await run('mvn', [
      '-B',
      '-q',
      'dependency:copy',
      `-Dartifact=org.keycloak:keycloak-quarkus-dist:${version}:zip`,
      `-DoutputDirectory=${folder}`,
    ]);
  } catch (error) {
    const said = String((error as { stdout?: unknown }).stdout ?? '');
    await rm(folder, { recursive: true, force: true });
    // Only "it is not there" is remembered; a network that is down may be up in a minute.
    if (/(Could not|Unable to) find artifact/.test(said)) await writeFile(absent, '');
    return null;
  }
  return join(folder, `keycloak-quarkus-dist-${version}.zip`);
}

/** Keeps the execute bits (bin/kc.sh needs them) and refuses names that lead out of the folder. */
async function unzip(p: { readonly zip: string; readonly into: string }): Promise<void> {
  const archive = await openPromise(p.zip);
  const root = resolve(p.into);
  for await (const entry of archive.eachEntry()) {
    const path = resolve(root, entry.fileName);
    if (!path.startsWith(root + sep)) throw new Error(`zip entry leads out of ${root}`);
    if (entry.fileName.endsWith('/')) continue;
    await mkdir(dirname(path), { recursive: true });
    await pipeline(await archive.openReadStreamPromise(entry), createWriteStream(path));
    const mode = (entry.externalFileAttributes >>> 16) & 0o777;
    if (mode !== 0) await chmod(path, mode);
  }
}

function hasMaven(): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((dir) => existsSync(join(dir, 'mvn')));
}

/** The newest JDK; every JDK says its version in the file `release` of its folder. */
async function findJava(): Promise<string | null> {
  const installed = await readdir('/usr/lib/jvm').catch(() => []);
  const binaries = [
    ...(process.env['JAVA_HOME'] ? [join(process.env['JAVA_HOME'], 'bin/java')] : []),
    ...installed.map((name) => join('/usr/lib/jvm', name, 'bin/java')),
    ...(process.env['PATH'] ?? '').split(delimiter).map((dir) => join(dir, 'java')),
  ];
  let newest = { home: '', major: 16 };
  for (const binary of binaries) {
    const home = await realpath(binary).then(
      (path) => dirname(dirname(path)),
      () => null,
    );
    if (home === null) continue;
    const release = await readFile(join(home, 'release'), 'utf8').catch(() => '');
    const major = Number(/^JAVA_VERSION="(\d+)/m.exec(release)?.[1] ?? 0);
    if (major > newest.major) newest = { home, major };
  }
  return newest.major < 17 ? null : newest.home;
}
