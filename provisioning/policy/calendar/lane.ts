/** Most urgent first: one person waits, today's changes, first load or rollover or repair. */
export const lanes = ['now', 'sync', 'bulk'] as const;
export type Lane = (typeof lanes)[number];
