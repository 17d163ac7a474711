// The board's model: a snapshot, and the events after it. Pure: the present is always given, and nothing here knows the
// network or the page.

import { KINDS } from './deadline';
import type {
  Agents,
  BoardEvent,
  DeadlineEvent,
  DeadlineKind,
  Engine,
  Fault,
  Mark,
  Snapshot,
  Suspected,
} from './types';

/** An engine that is later than this warns and alerts late. */
const ENGINE_LATE_MS = 5_000;

export interface BoardModel {
  asOfMs: number;
  cursor: string;
  engine: Engine;
  agents: Agents;
  suspected: Suspected[];
  faults: ReadonlyMap<string, Entry>;
}

/** A fault as it was last told, and when: figures that grow are counted on from there. */
export interface Entry {
  fault: Fault;
  seenAtMs: number;
  /** The latest mark of each promise that was heard of since the snapshot. */
  marks: Partial<Record<DeadlineKind, Mark>>;
}

const GONE: readonly string[] = ['closed', 'closed_unconfirmed', 'withdrawn'];

export function fromSnapshot(snapshot: Snapshot): BoardModel {
  const asOfMs = Date.parse(snapshot.as_of);
  const faults = new Map<string, Entry>();
  for (const fault of snapshot.faults) {
    if (!GONE.includes(fault.state)) faults.set(fault.id, { fault, seenAtMs: asOfMs, marks: {} });
  }
  for (const { aliases } of snapshot.faults) for (const alias of aliases) faults.delete(alias);
  return {
    asOfMs,
    cursor: snapshot.cursor,
    engine: snapshot.engine,
    agents: snapshot.agents,
    suspected: snapshot.suspected,
    faults,
  };
}

/** What is wrong with the deadline engine, if anything. */
export function engineTrouble(engine: Engine | undefined): 'dead' | 'late' | null {
  if (!engine) return null;
  if (!engine.alive) return 'dead';
  return engine.lag_ms > ENGINE_LATE_MS ? 'late' : null;
}

/** The fault that an id means now: its own, or one that an earlier fact made it part of. */
export function resolve(model: BoardModel, id: string): string {
  if (model.faults.has(id)) return id;
  for (const { fault } of model.faults.values()) if (fault.aliases.includes(id)) return fault.id;
  return id;
}

/** The model after an event that arrived at `nowMs` of the server's clock. */
export function apply(model: BoardModel, event: BoardEvent, nowMs: number): BoardModel {
  return applyAll(model, [event], nowMs);
}

/** The model after events that came together, in their order; the very same where they change nothing. */
export function applyAll(model: BoardModel, events: readonly BoardEvent[], nowMs: number): BoardModel {
  let faults: Map<string, Entry> | undefined;
  /** Copied once, however many change. */
  const own = () => (faults ??= new Map(model.faults));
  const next = (before: BoardModel, event: BoardEvent): BoardModel => {
    switch (event.type) {
      case 'fault': {
        const { fault, as_of } = event.data;
        const faults = own();
        return withFault({ ...before, faults }, fault, as_of ? Date.parse(as_of) : nowMs, faults);
      }
      case 'deadline': {
        const marked = markedBy(before, event.data);
        if (!marked) return before;
        own().set(marked.fault.id, marked);
        return { ...before, faults: own() };
      }
      case 'agent':
        return { ...before, agents: withAgent(before.agents, event.data) };
      case 'tick':
        return { ...before, asOfMs: Date.parse(event.data.as_of), engine: event.data.engine };
      // The board shows none: pages that do read it again.
      case 'visit':
      case 'reset':
        return before;
    }
  };
  return events.reduce(next, model);
}

/** Whether an event leaves the model with something that only a new snapshot can tell. */
export function needsSnapshot(event: BoardEvent): boolean {
  if (event.type === 'reset') return true;
  return event.type === 'agent' && event.data.state !== 'warned';
}

/** Whether an event is older than the snapshot that is already shown. */
export function isStale(model: BoardModel, cursor: string): boolean {
  if (!/^\d+$/.test(cursor) || !/^\d+$/.test(model.cursor)) return false;
  return BigInt(cursor) <= BigInt(model.cursor);
}

function withFault(
  model: BoardModel,
  fault: Fault,
  seenAtMs: number,
  faults: Map<string, Entry>,
): BoardModel {
  const before = [fault.id, ...fault.aliases].map((id) => faults.get(id)).find((entry) => entry);
  for (const alias of fault.aliases) faults.delete(alias);
  const isKnown = (s: Suspected) => s.id === fault.id || fault.aliases.includes(s.id);
  const others = model.suspected.some(isKnown) ? model.suspected.filter((s) => !isKnown(s)) : model.suspected;
  if (fault.state === 'suspected') {
    faults.delete(fault.id);
    const known = model.suspected.find((s) => s.id === fault.id);
    return { ...model, suspected: [...others, known ?? asSuspected(fault)] };
  }
  if (GONE.includes(fault.state)) faults.delete(fault.id);
  else faults.set(fault.id, { fault, seenAtMs, marks: keptMarks(before, fault) });
  return { ...model, suspected: others };
}

/** A mark belongs to one due time: a new period or a corrected promise begins without. */
function keptMarks(before: Entry | undefined, fault: Fault): Entry['marks'] {
  const marks: Entry['marks'] = {};
  if (!before) return marks;
  for (const kind of KINDS) {
    const mark = before.marks[kind];
    if (mark && before.fault[kind]?.due_at === fault[kind]?.due_at) marks[kind] = mark;
  }
  return marks;
}

function asSuspected(fault: Fault): Suspected {
  const { id, line, customer, customer_name, tier, started_at } = fault;
  return { id, line, customer, customer_name, tier, agent: '', since: started_at };
}

/** The fault that a mark is about, with it; none where the board does not count it down. */
function markedBy(model: BoardModel, { fault, kind, mark }: DeadlineEvent): Entry | null {
  const counted = KINDS.find((known) => known === kind);
  const entry = fault && counted && model.faults.get(resolve(model, fault));
  return entry ? { ...entry, marks: { ...entry.marks, [counted]: mark } } : null;
}

function withAgent(agents: Agents, event: { name: string; state: string; warnings?: string[] }): Agents {
  if (event.state === 'back') {
    return { ...agents, silent: agents.silent.filter((a) => a.name !== event.name) };
  }
  if (event.state === 'warned') {
    const others = agents.warned.filter((a) => a.name !== event.name);
    const warnings = event.warnings ?? [];
    return { ...agents, warned: warnings.length ? [...others, { name: event.name, warnings }] : others };
  }
  return agents;
}
