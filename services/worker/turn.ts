/** A tenant's turn of weight 1, in ms: long enough that the ticket itself costs little. */
const turnMs = 2000;
/** What a turn is at least, in ms; a batch that has begun is always finished. */
const shortestMs = 50;

/**
 * How long one ticket may keep its target. Tickets of a lane are taken in the order they came (round
 * robin, since each goes to the back), so the length of the turns is what shares the workers: by weight
 * between tenants, and a tenant with forty targets gets no more than one with three, because its targets
 * share its turn (weighted round robin).
 */
export function shareTurn(p: { readonly weight: number; readonly dueTargets: number }): number {
  return Math.max(shortestMs, (turnMs * p.weight) / Math.max(1, p.dueTargets));
}
