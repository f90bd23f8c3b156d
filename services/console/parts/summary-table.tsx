import type { SummaryRow } from '../../api/plans.ts';
import { formatNumber } from '../format.ts';
import { useWords, wordFor } from '../words.ts';
import type { Counts } from './change-words.tsx';
import { ActionCounts, ActionLegend } from './change-words.tsx';

/** A plan on one page: a row for each school, a column for each system. */
export function SummaryTable(p: { readonly summary: readonly SummaryRow[] }) {
  const words = useWords();
  const targets = [...new Set(p.summary.map((row) => row.target))].sort();
  const schools = [...new Map(p.summary.map((row) => [row.institution, row.institutionName]))];
  if (p.summary.length === 0) return <p class="quiet">{words.plans.nothing}</p>;
  const cell = (rows: readonly SummaryRow[]) => {
    const held = rows.filter((row) => row.held).reduce((total, row) => total + row.count, 0);
    const moving = rows.filter((row) => !row.held);
    return (
      <>
        {moving.length === 0 && held > 0 ? null : <ActionCounts counts={countActions(moving)} />}
        {held === 0 ? null : (
          <span class="badge badge-warning small-badge">
            {words.outcomes.held} {formatNumber(words, held)}
          </span>
        )}
      </>
    );
  };
  return (
    <section aria-labelledby="summary">
      <div class="section-head">
        <h2 id="summary">{words.plan.summary}</h2>
        <ActionLegend />
      </div>
      <div class="table--responsive-scroll">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">{words.plan.school}</th>
              {targets.map((target) => (
                <th key={target} scope="col">
                  {wordFor({ among: words.targets, code: target })}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {schools.map(([institution, name]) => (
              <tr key={institution}>
                <th scope="row">
                  {name ?? institution ?? words.plan.everywhere}
                  {name === null ? null : <span class="under">{institution}</span>}
                </th>
                {targets.map((target) => (
                  <td key={target}>
                    {cell(
                      p.summary.filter((r) => r.institution === institution && r.target === target),
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{words.plan.total}</th>
              {targets.map((target) => (
                <td key={target}>{cell(p.summary.filter((row) => row.target === target))}</td>
              ))}
            </tr>
          </tfoot>
        </table>
      </div>
    </section>
  );
}

function countActions(rows: readonly SummaryRow[]): Counts {
  const counts = { create: 0, adopt: 0, update: 0, deactivate: 0, delete: 0 };
  for (const row of rows) counts[row.action] += row.count;
  return counts;
}
