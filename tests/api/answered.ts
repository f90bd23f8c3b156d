import type { Response } from 'supertest';
import { expect } from 'vitest';
import { endpoints } from '../../services/api/app.ts';

/** The answer, held against the schema that the OpenAPI document shows. */
export function answered(id: string, response: Response) {
  const endpoint = endpoints.find((one) => one.id === id);
  expect(response.status).toBe(endpoint?.answer.status);
  endpoint?.answer.schema?.parse(response.body);
  return response.body;
}
