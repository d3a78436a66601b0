import { toBeOwnedBy, toBeUnowned, toHaveRefused } from 'vfio-ledger/matchers';
import type { Ledger } from 'vfio-ledger';

declare const ledger: Ledger;
const { pass, message } = toBeUnowned(ledger.at(3).group('26'));
const negated: boolean = toBeUnowned.call({ isNot: true }, ledger.at(3).group('26')).pass;
console.log(pass, message(), negated, toHaveRefused(ledger, { operation: 'bind' }).pass);
// @ts-expect-error
toBeUnowned(42);
// @ts-expect-error
toBeOwnedBy(ledger.at(3).group('26'), { pdi: 4711 });

for (const { event, before, after, transitions } of ledger.steps()) {
  console.log(event.type, before.table(), after.device('0000:3b:00.0').owner, transitions?.length);
}
