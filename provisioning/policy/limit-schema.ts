/** `limits` of the policy: how much of something may change in one plan without a person. */

import { z } from 'zod';

const Percent = z.number().min(0).max(100);
/** Growth can be more than what stood. */
const GrowthPercent = z.number().min(0).max(1000);
const Count = z.int().min(0);

/** What exceeds both figures is held. */
export interface Limit {
  readonly percent: number;
  readonly count: number;
}

function limit(percent: number, count: number, range = Percent) {
  return z
    .strictObject({ percent: range.default(percent), count: Count.default(count) })
    .prefault({});
}

/** Figures of an ordinary day. */
const ordinary = {
  deactivate: limit(10, 20),
  groups: limit(25, 10),
  memberships: limit(20, 50),
  teacherRoles: limit(20, 20),
  accessLost: limit(25, 10),
  accessGained: limit(25, 15),
  names: limit(5, 20),
  groupNames: limit(25, 20),
  identifiers: limit(10, 10),
  growth: limit(50, 100, GrowthPercent),
};

/** What a change of school year does: a tenth leaves and comes, every class has a new name and new people. */
const rollover = {
  deactivate: limit(25, 50),
  groups: limit(100, 0),
  memberships: limit(100, 0),
  teacherRoles: limit(60, 50),
  accessLost: limit(100, 0),
  accessGained: limit(100, 0),
  names: limit(10, 40),
  groupNames: limit(100, 0),
  identifiers: limit(20, 50),
  growth: limit(150, 200, GrowthPercent),
};

const Part = z.strictObject({ percent: Percent.optional(), count: Count.optional() });

/** Bare figures are those of `deactivate`. What is left out stays as it is for all. */
const OfInstitution = z.strictObject({
  ...Part.shape,
  deactivate: Part.optional(),
  groups: Part.optional(),
  memberships: Part.optional(),
  teacherRoles: Part.optional(),
  accessLost: Part.optional(),
  accessGained: Part.optional(),
  names: Part.optional(),
  groupNames: Part.optional(),
  identifiers: Part.optional(),
  growth: Part.extend({ percent: GrowthPercent.optional() }).optional(),
});

export const Limits = z
  .strictObject({
    ...ordinary,
    /** Days without an accepted snapshot after which a source counts as silent. */
    silentDays: z.int().min(1).max(3650).default(7),
    /** Where nothing of a kind stands yet, there is only growth. */
    firstLoad: z.strictObject({ growth: limit(100, 5000, GrowthPercent) }).prefault({}),
    rollover: z.strictObject(rollover).prefault({}),
    /** Other figures for named institutions, on ordinary days. */
    institutions: z.record(z.string(), OfInstitution).default({}),
  })
  .prefault({});
