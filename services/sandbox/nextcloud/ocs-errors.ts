import { type Answer, answerEmpty } from './exchange.ts';
import { type OcsResult, refuse } from './ocs.ts';
import type { Call } from './route.ts';

/** A required parameter is missing: each version breaks in its own way (recordings 05 and 29.0.1/08). */
export function missingParameter(call: Call): OcsResult | Answer {
  return call.behaviour.missingParameter === 'crash'
    ? refuse(500, 'Internal Server Error\n')
    : answerEmpty(400);
}
