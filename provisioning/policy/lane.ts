/** `now`: one person waits; `sync`: today's changes; `bulk`: first load, rollover, repair. Most urgent first. */
export const lanes = ['now', 'sync', 'bulk'] as const;
export type Lane = (typeof lanes)[number];
