/** One suite for the stand-in and the real server: the stand-in may not be kinder than the truth. */

import { describe } from 'vitest';
import type { Server } from './admin-api.ts';
import { keycloakBootstrap } from './bootstrap.ts';
import { keycloakFailures } from './failures.ts';
import { keycloakRealmTraps } from './realm-traps.ts';
import { keycloakRoles } from './roles.ts';
import { keycloakScenarios } from './scenarios.ts';
import { keycloakSignIn } from './sign-in.ts';
import { keycloakTenants } from './tenants.ts';
import { keycloakTraps } from './traps.ts';

export function keycloakContract(p: { readonly server: () => Server }): void {
  // A real server on a busy machine needs its time: 11 s was the longest of them.
  const timeout = { timeout: 120_000 };
  // Each in a describe of its own, so that it tidies up before the server stops.
  describe('traps', timeout, () => keycloakTraps(p));
  describe('traps of the realm', timeout, () => keycloakRealmTraps(p));
  describe('applying a school', timeout, () => keycloakScenarios(p));
  describe('preparing a realm', timeout, () => keycloakBootstrap(p));
  describe('roles of groups', timeout, () => keycloakRoles(p));
  describe('many tenants in one realm', timeout, () => keycloakTenants(p));
  describe('signing in', timeout, () => keycloakSignIn(p));
  describe('when things go wrong', timeout, () => keycloakFailures(p));
}
