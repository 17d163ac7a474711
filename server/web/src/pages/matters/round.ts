// What a round's report says, from what was ticked. Pure.

import { fromLocalInput } from '../../lib/format';
import type { Cadence, Checklist, MatterPack, Range } from '../../lib/matter';
import { readingOf } from '../../lib/reading';

export interface Answer {
  ok: 'yes' | 'no' | '';
  note: string;
  /** What was measured, as it was typed. */
  reading?: string;
  /** The class of the defect that it becomes. */
  class: string;
}

export interface Promised {
  title: string;
  until: string;
}

/** Ways that may be named where the cadence lists none. */
const ANY_MODE = ['face_to_face', 'on_site', 'call', 'message', 'online'];

export interface Round {
  cadence: Cadence | undefined;
  modes: readonly string[];
  points: Checklist['items'];
  readings: Record<string, Range>;
}

export function roundOf(pack: MatterPack | undefined, kind: string, name: string): Round {
  const cadence = pack?.cadences.find((known) => known.matter === kind && known.name === name);
  const list = pack?.checklists.find((known) => known.name === cadence?.checklist);
  const usual = kind === 'patrol' ? ['on_site', ...ANY_MODE.filter((mode) => mode !== 'on_site')] : ANY_MODE;
  const modes = cadence?.modes.length ? cadence.modes : usual;
  return { cadence, modes, points: list?.items ?? [], readings: list?.readings ?? {} };
}

/** The first point that nobody has answered, or measured where it is measured. */
export function unanswered(
  { points, readings }: Pick<Round, 'points' | 'readings'>,
  answers: Record<string, Answer>,
) {
  const open = ([name]: Checklist['items'][number]) =>
    !answers[name]?.ok || (name in readings && readingOf(answers[name]?.reading) === null);
  return points.find(open) ?? null;
}

export function madeBody(
  { mode, met, report }: { mode: string; met: string; report: string },
  points: Checklist['items'],
  answers: Record<string, Answer>,
  promises: readonly Promised[],
): object {
  const said = points.map(([name]) => {
    const { ok, note, class: ofClass, reading: typed } = answers[name]!;
    const reading = readingOf(typed);
    const isOk = ok === 'yes';
    return {
      name,
      ok: isOk,
      note: note.trim(),
      ...(reading !== null && { reading }),
      ...(!isOk && ofClass && { class: ofClass }),
    };
  });
  const promised = promises
    .filter(({ title }) => title.trim())
    .map(({ title, until }) => ({ title: title.trim(), until: fromLocalInput(until) ?? '' }));
  return {
    mode,
    name: met.trim(),
    ...(report.trim() && { report: report.trim() }),
    ...(said.length && { points: said }),
    ...(promised.length && { promises: promised }),
  };
}
