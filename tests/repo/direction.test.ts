import { describe, expect, it } from 'vitest';
import { findViolations, readSources } from '../support/direction.ts';

describe('direction of imports', () => {
  it('holds in this repository', () => {
    const sources = readSources();

    expect(sources.length).toBeGreaterThan(10);
    expect(findViolations(sources)).toEqual([]);
  });

  it.each([
    ['a later folder', 'provisioning/feed/record.ts', "import { x } from '../plan/diff.ts';"],
    [
      'a type of a later folder',
      'provisioning/plan/diff.ts',
      "import type { X } from '../target/contract.ts';",
    ],
    [
      'a deep file',
      'provisioning/feed/ws17/read.ts',
      "import { x } from '../../roster/person.ts';",
    ],
    ['a re-export', 'provisioning/roster/person.ts', "export { x } from '../ledger/claim.ts';"],
    ['a late import', 'provisioning/policy/read.ts', "const x = await import('../plan/diff.ts');"],
    [
      'a worker thread',
      'provisioning/feed/read.ts',
      "new Worker(new URL('../plan/thread.ts', import.meta.url))",
    ],
    [
      'several lines',
      'provisioning/feed/read.ts',
      "import {\n  a,\n  b,\n} from '../target/contract.ts';",
    ],
    [
      'the store looking up',
      'provisioning/store/person.ts',
      "import { x } from '../roster/person.ts';",
    ],
    [
      'the way through the house',
      'provisioning/feed/record.ts',
      "import { sync } from '../sync.ts';",
    ],
    ['a service', 'provisioning/sync.ts', "import { x } from '../services/api/main.ts';"],
    ['a test', 'services/api/main.ts', "import { x } from '../../tests/support/database.ts';"],
  ])('finds an import of %s', (_name, path, text) => {
    expect(findViolations([{ path, text }])).toHaveLength(1);
  });

  it.each([
    [
      'an earlier folder',
      'provisioning/target/contract.ts',
      "import { x } from '../policy/resource.ts';",
    ],
    ['the store', 'provisioning/feed/read.ts', "import { x } from '../store/database.ts';"],
    ['its own folder', 'provisioning/feed/ws17/read.ts', "import { x } from '../record.ts';"],
    [
      'everything, for the one that ties it together',
      'provisioning/sync.ts',
      "import { x } from './target/contract.ts';",
    ],
    [
      'the domain, for a service',
      'services/api/main.ts',
      "import { x } from '../../provisioning/sync.ts';",
    ],
    ['a package', 'provisioning/feed/read.ts', "import { x } from 'target';"],
  ])('allows an import of %s', (_name, path, text) => {
    expect(findViolations([{ path, text }])).toEqual([]);
  });
});
