import type { Institutions } from './packages.ts';
import type { DesiredResource, TargetType } from './resource.ts';
import type { Policy } from './schema.ts';

/** The configured targets: name -> type. */
export type TargetTypes = ReadonlyMap<string, TargetType>;

/** Routes and targets do not fit together; the message names the route or the type, and the remedy. */
export class RouteError extends Error {
  override readonly name = 'RouteError';
  readonly code = 'route-invalid';
}

/**
 * Checks the policy's routes against the configured targets.
 *
 * @throws RouteError when a route names a target that is not there or is of another type, or when
 *   there are several targets of a type and no route tells them apart
 */
export function checkRoutes(p: { readonly policy: Policy; readonly targets: TargetTypes }): void {
  const { routes } = p.policy;
  for (const { target, type } of routes) {
    const configured = p.targets.get(target);
    if (configured === type) continue;
    throw new RouteError(
      configured === undefined
        ? `The policy routes to ${target}, and targets.yaml has no such target. Add it there or take the route out.`
        : `The policy routes to ${target} as a ${type}, and it is a ${configured}. Correct the route's type.`,
    );
  }
  for (const type of new Set(p.targets.values())) {
    const ofType = [...p.targets].filter(([, one]) => one === type).map(([name]) => name);
    if (ofType.length < 2) continue;
    const unused = ofType.find((name) => !routes.some((route) => route.target === name));
    if (unused !== undefined) {
      throw new RouteError(
        `There are ${ofType.length} targets of type ${type}, and no route of the policy leads to ${unused}. Say under routes what it holds.`,
      );
    }
  }
}

/**
 * The names of the targets that hold a resource, sorted: those of all routes that it meets, or the one
 * target of its type where no route speaks of the type. A resource may stand in several, such as an
 * account in the Moodle of a school and in the one that all schools share.
 */
export function routeResource(p: {
  readonly policy: Policy;
  readonly targets: TargetTypes;
  readonly institutions: Institutions;
  readonly resource: DesiredResource;
}): readonly string[] {
  const { resource } = p;
  const routes = p.policy.routes.filter((route) => route.type === resource.target);
  if (routes.length === 0) {
    return [...p.targets].filter(([, type]) => type === resource.target).map(([name]) => name);
  }
  const serves = resource.serves ?? (resource.institution === null ? [] : [resource.institution]);
  const names = routes
    .filter((route) => route.only === undefined || route.only.includes(resource.kind))
    .filter(
      (route) =>
        (route.institutions === undefined && route.institutionKinds === undefined) ||
        serves.some((number) => {
          const kind = p.institutions.get(number)?.kind;
          return (
            (route.institutions === undefined || route.institutions.includes(number)) &&
            (route.institutionKinds === undefined ||
              route.institutionKinds.some((one) => one === kind))
          );
        }),
    )
    .map((route) => route.target);
  return [...new Set(names)].sort();
}
