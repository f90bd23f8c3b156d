import { z } from 'zod';

const FourEyesRule = z
  .strictObject({
    actions: z
      .array(z.enum(['create', 'update', 'deactivate', 'delete', 'adopt']))
      .min(1)
      .optional(),
    kinds: z
      .array(z.enum(['account', 'group', 'folder', 'category', 'course', 'cohort']))
      .min(1)
      .optional(),
    atLeast: z.int().min(1).default(1),
  })
  .describe('A plan with so many changes of these actions and kinds; a list left out means all');

export const Approval = z
  .strictObject({
    fourEyes: z
      .array(FourEyesRule)
      .default([])
      .describe('Plans that one person has to approve and another one commits'),
    expiresHours: z.int().min(1).max(8760).default(72),
  })
  .prefault({});
export type Approval = z.output<typeof Approval>;

export const Undo = z
  .strictObject({ days: z.int().min(0).max(3650).default(30) })
  .prefault({})
  .describe('How long a committed plan can be turned back');
