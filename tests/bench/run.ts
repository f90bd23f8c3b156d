/** `npm run -s bench -- NAME [options]`: each measurement explains itself at the top of its file. */
const benches = [
  'lanes',
  'fairness',
  'pace',
  'plan',
  'readiness',
  'undo',
  'keycloak',
  'nextcloud',
  'moodle',
] as const;

const name = benches.find((one) => one === process.argv[2]);
if (name === undefined) {
  process.stderr.write(`Say what to measure: npm run -s bench -- ${benches.join('|')} [options]\n`);
  process.exit(2);
}
process.argv.splice(2, 1);
await import(`./${name}.ts`);
