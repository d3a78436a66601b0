/**
 * Draws a machine as a Mermaid diagram.
 *
 * @module
 */
import type { TransitionTable } from './transition-table.ts';

/** A `stateDiagram-v2` with an arrow from state to state, labelled with the events that take it. */
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
