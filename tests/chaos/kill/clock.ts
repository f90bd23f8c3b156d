/** Puts this process's clock on the wall forward or back while it runs, as a wrong time server does; timers are not moved. */
let ahead = 0;
const Real = Date;

globalThis.Date = new Proxy(Real, {
  construct: (of, given, asked) =>
    given.length === 0
      ? new Real(Real.now() + ahead)
      : (Reflect.construct(of, given, asked) as object),
  get: (of, name) => (name === 'now' ? () => Real.now() + ahead : Reflect.get(of, name)),
});

/** @param ms whole milliseconds; by so much beyond the true time; negative: behind it */
export function setClock(ms: number): void {
  ahead = ms;
}
