/**
 * `CalledLedger`: the ledger of a virtual host, which remembers the calls that were made on it.
 *
 * @module
 */
import type { Call, Fact } from '../events/vocabulary.ts';
import { WhatIf, type SupposedEvent } from '../ledger/what-if.ts';
import type { Outcome } from '../operations/row.ts';
import { Timeline } from '../projections/timeline.ts';
import type { ScenarioStep } from '../scenario/written.ts';

/** A what-if on an empty log, whose first events are some facts, with its calls. */
export class CalledLedger extends WhatIf {
  /**
   * In order, also calls that are no event, such as a DMA mapping.
   *
   * @internal
   */
  readonly calls: ScenarioStep[] = [];

  /** @internal */
  constructor(facts: Iterable<Fact>) {
    super(new Timeline<SupposedEvent>({ isDeferred: true }), -1);
    for (const { type, data } of facts) this.happened({ type, data } as Fact);
  }

  /** @internal */
  override happened(fact: Fact): void {
    const { type, data } = fact;
    if (type === 'process.started')
      this.calls.push({ started: { pid: data.pid, comm: data.comm } });
    super.happened(fact);
  }

  /** @internal */
  protected override made(call: Call, outcome: Outcome): void {
    this.calls.push({ call, outcome });
  }
}
