import type { ComponentChildren } from 'preact';

/** Small figures with their names. */
export function Facts(p: {
  readonly items: readonly { readonly name: string; readonly value: ComponentChildren }[];
}) {
  return (
    <dl class="facts">
      {p.items.map((item) => (
        <div key={item.name}>
          <dt>{item.name}</dt>
          <dd>{item.value}</dd>
        </div>
      ))}
    </dl>
  );
}
