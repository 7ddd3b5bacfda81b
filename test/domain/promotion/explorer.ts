/** Goes through every world that can come about, breadth first, and says from where nothing good can come any more. */
import type { Settings, World } from './model.js';
import { actionsOf, Broken, firstWorld, isGood, keyOf } from './model.js';

export interface Explored {
  worlds: number;
  /** False: it ended for its time or number; the last worlds were not gone on from. */
  complete: boolean;
  /** The shortest way to a world where a property does not hold. */
  broken?: { property: string; way: string[] };
  /** The shortest way to a world from which no good one can be reached. */
  stuck?: { way: string[]; world: World };
  stages: Set<string>;
}

interface Node {
  parent: number;
  by: string;
  /** Reached by people and the system. */
  helped: number[];
  good: boolean;
  expanded: boolean;
}

export function explore(settings: Settings, bound: { ms: number; worlds: number }): Explored {
  const nodes: Node[] = [];
  const known = new Map<string, number>();
  let frontier: { at: number; world: World }[] = [];
  const stages = new Set<string>();
  const end = Date.now() + bound.ms;
  const wayTo = (at: number): string[] => {
    const way: string[] = [];
    for (let one = at; one > 0; one = nodes[one]?.parent ?? 0) way.unshift(nodes[one]?.by ?? '');
    return way;
  };
  const enter = (world: World, parent: number, by: string): number => {
    const key = keyOf(world);
    const before = known.get(key);
    if (before !== undefined) return before;
    const at = nodes.push({ parent, by, helped: [], good: isGood(world), expanded: false }) - 1;
    known.set(key, at);
    frontier.push({ at, world });
    stages.add(world.q.current?.stage ?? 'none');
    return at;
  };
  enter(firstWorld(settings), 0, '');
  const last = new Map<number, World>();
  let complete = true;
  while (frontier.length > 0) {
    const level = frontier;
    frontier = [];
    for (const { at, world } of level) {
      if (Date.now() > end || nodes.length > bound.worlds) {
        complete = false;
        continue;
      }
      const node = nodes[at];
      if (!node) continue;
      node.expanded = true;
      let doing = '';
      try {
        for (const { name, helps, next } of actionsOf(world, settings)) {
          doing = name;
          const to = enter(next, at, name);
          if (helps) node.helped.push(to);
        }
      } catch (error) {
        const property =
          error instanceof Broken ? error.message : String(error instanceof Error ? error.stack : error);
        return {
          worlds: nodes.length,
          complete,
          stages,
          broken: { property, way: [...wayTo(at), `after ${doing}`] },
        };
      }
      if (node.helped.length === 0 || !node.good) last.set(at, world);
    }
  }
  const stuck = firstStuck(nodes);
  const world = stuck === undefined ? undefined : last.get(stuck);
  return {
    worlds: nodes.length,
    complete,
    stages,
    ...(stuck !== undefined && world ? { stuck: { way: wayTo(stuck), world } } : {}),
  };
}

/** Backwards from what is good, and from what was not gone on from. */
function firstStuck(nodes: Node[]): number | undefined {
  const before: number[][] = nodes.map(() => []);
  nodes.forEach(({ helped }, at) => helped.forEach((to) => before[to]?.push(at)));
  const fine = nodes.map(({ good, expanded }) => good || !expanded);
  const queue = fine.flatMap((one, at) => (one ? [at] : []));
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (const one of before[at] ?? []) {
      if (fine[one]) continue;
      fine[one] = true;
      queue.push(one);
    }
  }
  const stuck = fine.indexOf(false);
  return stuck === -1 ? undefined : stuck;
}
