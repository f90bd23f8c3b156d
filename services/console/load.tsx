import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Refusal } from './api.ts';
import { refusalOf } from './api.ts';
import { useWords, wordFor } from './words.ts';

export type Loaded<T> =
  | { readonly state: 'loading'; readonly last: T | null }
  | { readonly state: 'loaded'; readonly value: T }
  | { readonly state: 'failed'; readonly refusal: Refusal; readonly again: () => void };

/** Asks anew whenever `key` changes; meanwhile the last answer stays. */
export function useLoaded<T>(key: string, ask: () => Promise<T>): Loaded<T> {
  const [round, setRound] = useState(0);
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: 'loading', last: null });
  // `key` names all that `ask` depends on.
  useEffect(() => {
    let current = true;
    setLoaded((before) => ({
      state: 'loading',
      last: lastOf(before),
    }));
    ask().then(
      (value) => {
        if (current) setLoaded({ state: 'loaded', value });
      },
      (error: unknown) => {
        if (!current) return;
        const again = () => setRound((n) => n + 1);
        setLoaded({ state: 'failed', refusal: refusalOf(error), again });
      },
    );
    return () => {
      current = false;
    };
  }, [key, round]);
  return loaded;
}

/** What is known until the next answer. */
export function lastOf<T>(loaded: Loaded<T>): T | null {
  if (loaded.state === 'failed') return null;
  return loaded.state === 'loaded' ? loaded.value : loaded.last;
}

export function Await<T>(p: {
  readonly loaded: Loaded<T>;
  readonly children: (value: T) => ComponentChildren;
}) {
  const words = useWords();
  const { loaded } = p;
  if (loaded.state === 'failed') return <Failure refusal={loaded.refusal} again={loaded.again} />;
  const value = lastOf(loaded);
  if (value === null) {
    return (
      <p class="quiet" role="status">
        {words.loading} …
      </p>
    );
  }
  return <>{p.children(value)}</>;
}

/** What went wrong and what to do, in the reader's language where the console knows the code. */
export function Failure(p: { readonly refusal: Refusal; readonly again?: () => void }) {
  const words = useWords();
  const { code, detail, requestId } = p.refusal;
  const known = Object.hasOwn(words.errors.known, code);
  return (
    <div class="alert alert-error plain" role="alert">
      <p class="alert-heading">{words.errors.heading}</p>
      <p class="alert-text">
        {known ? wordFor({ among: words.errors.known, code }) : words.errors.other}
      </p>
      {known || detail === null ? null : (
        <p class="alert-text small" lang="en">
          {detail}
        </p>
      )}
      {code === 'internal' && requestId !== null ? (
        <p class="alert-text small">
          {words.errors.request} <code>{requestId}</code>
        </p>
      ) : null}
      {p.again === undefined ? null : (
        <button type="button" class="button button-secondary mt-3" onClick={p.again}>
          {words.errors.retry}
        </button>
      )}
    </div>
  );
}
