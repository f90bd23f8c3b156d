import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const moved = 'skolebus-moved';

export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const look = () => setPlace(here());
    addEventListener('popstate', look);
    addEventListener(moved, look);
    return () => {
      removeEventListener('popstate', look);
      removeEventListener(moved, look);
    };
  }, []);
  return place;
}

/** Writes what a page shows into the address, without a step in the history. */
export function replaceQuery(query: Readonly<Record<string, string>>): void {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''));
  history.replaceState(null, '', search.size === 0 ? location.pathname : `?${search}`);
  dispatchEvent(new Event(moved));
}

/** Opens another page of the console, as a link does. */
export function goTo(to: string): void {
  history.pushState(null, '', to);
  dispatchEvent(new Event(moved));
  scrollTo(0, 0);
  // A reader of the screen starts where the new page does.
  document.getElementById('content')?.focus();
}

/** A link within the console; held keys and other buttons do what they do everywhere. */
export function Link(p: {
  readonly to: string;
  readonly class?: string;
  readonly current?: boolean;
  readonly children: ComponentChildren;
}) {
  function go(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    goTo(p.to);
  }
  return (
    <a
      href={p.to}
      class={p.class ?? ''}
      onClick={go}
      {...(p.current ? { 'aria-current': 'page' as const } : {})}
    >
      {p.children}
    </a>
  );
}
