import { useState } from 'preact/hooks';
import type { Institution } from '../../api/institutions.ts';
import type { SummaryRow } from '../../api/plans.ts';
import { readInstitutions, readPlans, readSummary } from '../api.ts';
import { formatNumber } from '../format.ts';
import { Await, useLoaded } from '../load.tsx';
import { Link } from '../router.tsx';
import { useWords, wordFor } from '../words.ts';

const columns = ['name', 'kind', 'classes', 'pupils', 'staff'] as const;
type Column = (typeof columns)[number];

export function SchoolsPage() {
  const words = useWords();
  const loaded = useLoaded('schools', async () => {
    const [institutions, plans] = await Promise.all([readInstitutions(), readPlans(null)]);
    const planId = plans.items[0]?.id ?? null;
    const summary = planId === null ? [] : (await readSummary(planId)).items;
    return { institutions: institutions.items, planId, summary };
  });
  return (
    <>
      <h1>{words.schools.heading}</h1>
      <Await loaded={loaded}>
        {(value) =>
          value.institutions.length === 0 ? (
            <p class="quiet">{words.schools.none}</p>
          ) : (
            <SchoolTable {...value} />
          )
        }
      </Await>
    </>
  );
}

function SchoolTable(p: {
  readonly institutions: readonly Institution[];
  readonly planId: string | null;
  readonly summary: readonly SummaryRow[];
}) {
  const words = useWords();
  const [order, setOrder] = useState<{ readonly by: Column; readonly down: boolean }>({
    by: 'name',
    down: false,
  });
  const labels: Readonly<Record<Column, string>> = {
    name: words.schools.name,
    kind: words.schools.kind,
    classes: words.schools.classes,
    pupils: words.counts.pupil,
    staff: words.counts.staff,
  };
  const collator = new Intl.Collator(words.locale, { numeric: true });
  const sorted = [...p.institutions].sort(
    (a, b) =>
      collator.compare(String(a[order.by]), String(b[order.by])) * (order.down ? -1 : 1) ||
      collator.compare(a.key, b.key),
  );
  const changesOf = (key: string) =>
    p.summary.filter((row) => row.institution === key).reduce((n, row) => n + row.count, 0);
  return (
    <div class="table--responsive-scroll">
      <table class="table">
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column}
                scope="col"
                class={isNumber(column) ? 'number' : ''}
                aria-sort={order.by !== column ? 'none' : order.down ? 'descending' : 'ascending'}
              >
                <button
                  type="button"
                  class="sort"
                  onClick={() =>
                    setOrder({
                      by: column,
                      down: order.by === column ? !order.down : isNumber(column),
                    })
                  }
                >
                  {labels[column]}
                  <span aria-hidden="true">
                    {order.by === column ? (order.down ? ' ↓' : ' ↑') : ''}
                  </span>
                </button>
              </th>
            ))}
            <th scope="col">{words.schools.plan}</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((school) => (
            <tr key={school.key}>
              <th scope="row">
                {school.name}
                <span class="under">{school.key}</span>
              </th>
              <td>{wordFor({ among: words.schools.kinds, code: school.kind })}</td>
              <td class="number">{formatNumber(words, school.classes)}</td>
              <td class="number">{formatNumber(words, school.pupils)}</td>
              <td class="number">{formatNumber(words, school.staff)}</td>
              <td>
                {p.planId === null || changesOf(school.key) === 0 ? (
                  <span class="quiet">{words.plans.nothing}</span>
                ) : (
                  <Link to={`/plans/${p.planId}?institution=${encodeURIComponent(school.key)}`}>
                    {words.schools.changes(formatNumber(words, changesOf(school.key)))}
                  </Link>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function isNumber(column: Column): boolean {
  return column === 'classes' || column === 'pupils' || column === 'staff';
}
