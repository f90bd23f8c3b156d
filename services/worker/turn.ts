/** A tenant's turn of weight 1, in ms: long enough that the ticket itself costs little. */
const turnMs = 2000;
/** Connections that turns must leave free: what a turn asks of the database needs one besides its lock. */
const spareConnections = 2;

/**
 * How many turns of a lane may run at once. Each holds a connection for its lock: with as many turns as
 * connections, all would wait for one another for ever.
 */
export function mostTurns(p: {
  readonly wanted: number;
  readonly connections: number;
  readonly lanes: number;
}): number {
  const each = Math.floor((p.connections - spareConnections) / p.lanes);
  return Math.max(1, Math.min(p.wanted, each));
}

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
