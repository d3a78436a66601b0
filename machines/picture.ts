/**
 * Pictures of the machines, as Mermaid draws them.
 *
 * @module
 */
import type { TransitionTable } from './transition-table.ts';

/** A `stateDiagram-v2`: an arrow from state to state, with the events that lead along it. */
export function mermaidOf(table: TransitionTable): string {
  const arrows = new Map<string, string[]>();
  for (const { from, target, event, guards } of table.transitions) {
    const arrow = `${from} --> ${target}`;
    const label = guards.length === 0 ? event : `${event} [${guards.join(', ')}]`;
    arrows.set(arrow, [...(arrows.get(arrow) ?? []), label]);
  }
  const lines = [...arrows].map(([arrow, labels]) => `  ${arrow}: ${labels.join('<br/>')}`);
  return ['stateDiagram-v2', `  [*] --> ${table.initial}`, ...lines].join('\n');
}
