// The body that takes a matter in. Pure.

import { fromLocalInput } from '../../lib/format';

export interface IntakeValues {
  kind: string;
  class: string;
  line: string;
  title: string;
  description: string;
  reporter: string;
  owner: string;
  unit: string;
  /** Values of fields: local times. */
  wantedBy: string;
  openedAt: string;
  about: string;
}

/** `offeredAt` is the time that the form proposed: left alone, the server's own clock says when. */
export function intakeBody(
  customer: string,
  values: IntakeValues,
  offeredAt: string,
): Record<string, unknown> {
  const { kind, line, about } = values;
  const given = (text: string) => text.trim() || undefined;
  return {
    kind,
    class: values.class,
    customer,
    title: values.title.trim(),
    line: line || undefined,
    description: given(values.description),
    reporter: given(values.reporter),
    owner: given(values.owner),
    unit: given(values.unit),
    wanted_by: fromLocalInput(values.wantedBy) ?? undefined,
    about: (kind === 'complaint' && about) || undefined,
    opened_at: values.openedAt === offeredAt ? undefined : (fromLocalInput(values.openedAt) ?? undefined),
  };
}
