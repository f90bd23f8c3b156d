import type { SummaryRow } from '../../api/plans.ts';
import { formatNumber } from '../format.ts';
import type { Words } from '../words.ts';
import { useWords, wordFor } from '../words.ts';
import { actions } from './change-words.tsx';
import type { Choice, Mode, PartName } from './choice.ts';
import { mostTicks, partNames, togglePart } from './choice.ts';

const modes = ['all', 'part', 'ticked', 'except'] as const;

/** All of it, a part by its lists, or single changes. */
export function Chooser(p: {
  readonly summary: readonly SummaryRow[];
  readonly choice: Choice;
  readonly onChoice: (choice: Choice) => void;
}) {
  const words = useWords();
  const text = words.choose;
  const { choice } = p;
  const set = (mode: Mode) => p.onChoice({ ...choice, mode });
  return (
    <fieldset class="chooser">
      <legend class="h4">{text.legend}</legend>
      {modes.map((mode) => (
        <div key={mode} class="form-group-radio">
          <input
            type="radio"
            class="form-radio"
            name="choose"
            id={`choose-${mode}`}
            checked={choice.mode === mode}
            onChange={() => set(mode)}
          />
          <label class="form-label" for={`choose-${mode}`}>
            {text[mode]}
          </label>
          {mode === 'part' ? <span class="form-hint">{text.partHint}</span> : null}
        </div>
      ))}
      {choice.mode === 'part' ? <Lists {...p} /> : null}
      {choice.mode === 'ticked' || choice.mode === 'except' ? <Ticks {...p} /> : null}
    </fieldset>
  );
}

function Lists(p: {
  readonly summary: readonly SummaryRow[];
  readonly choice: Choice;
  readonly onChoice: (choice: Choice) => void;
}) {
  const words = useWords();
  const labels = {
    institution: words.plan.school,
    target: words.plan.target,
    kind: words.plan.kind,
    action: words.plan.action,
  };
  const schoolless =
    p.choice.part.institution.length > 0 && p.summary.some((row) => row.institution === null);
  return (
    <div class="part-lists">
      {partNames.map((name) => {
        const chosen = p.choice.part[name].length;
        return (
          <details key={name} class="part-list" open={name === 'institution'}>
            <summary>
              {labels[name]}{' '}
              <span class="quiet">
                {chosen === 0 ? words.choose.any : words.choose.chosen(formatNumber(words, chosen))}
              </span>
            </summary>
            <div class="part-options">
              {listOptions({ words, summary: p.summary, name }).map((option) => (
                <div key={option.value} class="form-group-checkbox">
                  <input
                    type="checkbox"
                    class="form-checkbox"
                    id={`part-${name}-${option.value}`}
                    checked={p.choice.part[name].includes(option.value)}
                    onChange={() =>
                      p.onChoice(togglePart({ choice: p.choice, name, value: option.value }))
                    }
                  />
                  <label class="form-label" for={`part-${name}-${option.value}`}>
                    {option.label} <span class="quiet">{formatNumber(words, option.count)}</span>
                  </label>
                </div>
              ))}
            </div>
          </details>
        );
      })}
      {schoolless ? <p class="quiet small">{words.choose.schoolless}</p> : null}
    </div>
  );
}

interface Option {
  readonly value: string;
  readonly label: string;
  readonly count: number;
}

/** What the plan has of each list, and how many changes; held ones are counted too. */
function listOptions(p: {
  readonly words: Words;
  readonly summary: readonly SummaryRow[];
  readonly name: PartName;
}): readonly Option[] {
  const { words, name } = p;
  const found = new Map<string, Option>();
  for (const row of p.summary) {
    const value = row[name];
    if (value === null) continue;
    const label = {
      institution: row.institutionName ?? value,
      target: wordFor({ among: words.targets, code: value }),
      kind: wordFor({ among: words.kinds, code: value }),
      action: wordFor({ among: words.actions, code: value }),
    }[name];
    found.set(value, { value, label, count: (found.get(value)?.count ?? 0) + row.count });
  }
  const options = [...found.values()];
  if (name !== 'action') return options;
  return options.sort((a, b) => orderOf(a.value) - orderOf(b.value));
}

const orderOf = (action: string) => (actions as readonly string[]).indexOf(action);

function Ticks(p: { readonly choice: Choice; readonly onChoice: (choice: Choice) => void }) {
  const words = useWords();
  const text = words.choose;
  const { ticks } = p.choice;
  return (
    <div class="ticks">
      <p>
        <strong>{text.ticks(formatNumber(words, ticks.size))}</strong>{' '}
        {ticks.size === 0 ? text.tickHint : null} <a href="#changes">{text.goTick}</a>
      </p>
      {ticks.size < mostTicks ? null : (
        <p role="alert">{text.tooMany(formatNumber(words, mostTicks))}</p>
      )}
      {ticks.size === 0 ? null : (
        <button
          type="button"
          class="button button-tertiary"
          onClick={() => p.onChoice({ ...p.choice, ticks: new Set() })}
        >
          {text.clear}
        </button>
      )}
    </div>
  );
}
