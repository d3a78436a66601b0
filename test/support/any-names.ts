import { parseScenario } from '../../host/simulation.ts';
import type { Ledger, RecordedAnswer } from '../../ledger.ts';
import type { SimulateSettings } from '../../ledger/settings.ts';

/** As `ledger.simulate`, for a scenario that may name what the topology does not have. */
export async function simulateAnyNames(
  ledger: Ledger,
  scenario: string,
  settings: SimulateSettings,
): Promise<RecordedAnswer[]> {
  const answers: RecordedAnswer[] = [];
  const steps = ledger.simulateSteps(parseScenario(scenario), settings);
  for await (const { answer } of steps) answers.push(answer);
  return answers;
}
