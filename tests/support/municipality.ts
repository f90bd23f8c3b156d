/** A made-up municipality, accepted and planned in the way a sync does it. */
import { join } from 'node:path';
import { readFeed } from '../../provisioning/feed/read.ts';
import type { PlanSummary } from '../../provisioning/plan/make.ts';
import { makePlan } from '../../provisioning/plan/make.ts';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import type { TargetTypes } from '../../provisioning/policy/route.ts';
import { acceptSnapshot } from '../../provisioning/roster/accept.ts';
import type { Database } from '../../provisioning/store/database.ts';
import { readPolicyText } from '../../services/config.ts';

/** One of the two days that `generate` has written into a folder, by the default policy. */
export async function planFeedDay(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly targets: TargetTypes;
  /** What `generate` was given as `out`. */
  readonly feed: string;
  readonly day: 'day1' | 'day2';
}): Promise<PlanSummary> {
  const { database, tenant, targets, feed } = p;
  const now = new Date();
  const items = readFeed({ format: 'ws17', path: join(feed, p.day, 'ws17') });
  const snapshot = await acceptSnapshot({ database, tenant, source: 'main', items, now });
  return makePlan({
    database,
    tenant,
    policy: parsePolicy(await readPolicyText(feed)),
    targets,
    snapshotId: snapshot.id,
    schoolYear: snapshot.schoolYear,
    allowed: new Set(),
    now,
  });
}
