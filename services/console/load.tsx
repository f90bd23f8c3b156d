import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { AnswerError } from './api.ts';
import { useWords, wordFor } from './words.ts';

export type Loaded<T> =
  | { readonly state: 'loading'; readonly last: T | null }
  | { readonly state: 'loaded'; readonly value: T }
  | { readonly state: 'failed'; readonly code: string; readonly again: () => void };

/** Asks anew whenever `key` changes; meanwhile the last answer stays. */
export function useLoaded<T>(key: string, ask: () => Promise<T>): Loaded<T> {
  const [round, setRound] = useState(0);
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: 'loading', last: null });
  // `key` names all that `ask` depends on.
  useEffect(() => {
    let current = true;
    setLoaded((before) => ({
      state: 'loading',
      last: before.state === 'loaded' ? before.value : null,
    }));
    ask().then(
      (value) => {
        if (current) setLoaded({ state: 'loaded', value });
      },
      (error: unknown) => {
        if (!current) return;
        const code = error instanceof AnswerError ? error.code : 'internal';
        setLoaded({ state: 'failed', code, again: () => setRound((n) => n + 1) });
      },
    );
    return () => {
      current = false;
    };
  }, [key, round]);
  return loaded;
}

export function Await<T>(p: {
  readonly loaded: Loaded<T>;
  readonly children: (value: T) => ComponentChildren;
}) {
  const words = useWords();
  const { loaded } = p;
  if (loaded.state === 'failed') return <Failure code={loaded.code} again={loaded.again} />;
  const value = loaded.state === 'loaded' ? loaded.value : loaded.last;
  if (value === null) {
    return (
      <p class="quiet" role="status">
        {words.loading} …
      </p>
    );
  }
  return <>{p.children(value)}</>;
}

export function Failure(p: { readonly code: string; readonly again?: () => void }) {
  const words = useWords();
  const text = Object.hasOwn(words.errors.known, p.code)
    ? wordFor({ among: words.errors.known, code: p.code })
    : words.errors.other;
  return (
    <div class="alert alert-error plain" role="alert">
      <p class="alert-heading">{words.errors.heading}</p>
      <p class="alert-text">{text}</p>
      {p.again === undefined ? null : (
        <button type="button" class="button button-secondary mt-3" onClick={p.again}>
          {words.errors.retry}
        </button>
      )}
    </div>
  );
}
