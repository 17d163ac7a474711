// The shapes of the agent's local API that are about reports: forms, drafts, finished reports.

import type { Range } from '../../../src/lib/matter';
import type { Label } from '../../../src/lib/types';
import type { SavedItem } from './types';

export interface FieldOf {
  name: string;
  label: Label;
  kind: 'text' | 'paragraph' | 'number' | 'choice' | 'yes_no';
  range: Range | null;
  choices: [string, Label][];
  required: boolean;
  when: { field: string; is: string[] } | null;
  help: Label | null;
}

export interface Form {
  pack: string;
  version: string;
  name: string;
  label: Label;
  for: 'visit' | 'patrol';
  fields: FieldOf[];
}

/** As the agent tells it: without what is empty. */
export type ToldForm = Omit<Form, 'fields'> & {
  fields: (Pick<FieldOf, 'name' | 'label' | 'kind'> & Partial<FieldOf>)[];
};

export interface ClassOf {
  kind: string;
  name: string;
  label: Label;
}

export type Answer = string | number | boolean;

export interface PointFound {
  name: string;
  ok: boolean;
  reading?: number;
  note?: string;
}

export interface PhotoNamed {
  sha256: string;
  caption: string;
  taken_at?: string | null;
  place?: { latitude: number; longitude: number } | null;
}

export interface Draft {
  customer: string;
  site: string;
  line: string | null;
  fault: string | null;
  round: string | null;
  class: string | null;
  mode: string | null;
  met: string;
  purpose: string;
  findings: string;
  needs: string;
  promises: string;
  form: { pack: string; version: string; name: string } | null;
  answers: Record<string, Answer>;
  points: PointFound[];
  promised: { title: string; until: string | null }[];
  satisfied: boolean | null;
  left_clean: boolean | null;
  signed_by: string;
  /** When the visit was; none: when the report is finished. */
  at: string | null;
  at_reason: string;
  photos: PhotoNamed[];
  signature: string | null;
}

export interface Lack {
  field: string;
  why: 'missing' | 'wrong' | 'unasked' | 'too_long';
}

/** What a save answers. */
export interface Saved {
  revision: number;
  changed_at: string;
  lacks: Lack[];
}

export interface OpenDraft extends Saved {
  id: string;
  draft: Partial<Draft>;
  /** The images that the agent holds for it. */
  photos?: { sha256: string; role?: string }[];
}

export interface DraftItem {
  id: string;
  customer: string;
  customer_name: string;
  title: string;
  changed_at: string;
  by: string | null;
}

export interface Part {
  sha256: string;
  role: 'photo' | 'signature';
  media: string;
  bytes: number;
  caption: string;
  taken_at: string | null;
  place: { latitude: number; longitude: number } | null;
  /** Whether the server has all of it. */
  whole: boolean;
  /** Whether it is still on this laptop. */
  here: boolean;
}

export interface Visit {
  id: string;
  at: string;
  by: string | null;
  state: SavedItem['state'];
  customer_name: string;
  device: string | null;
  visit: Partial<Omit<Draft, 'answers' | 'promised'>> & {
    answers: { field: string; value: Answer }[];
    /** The day as text, or in milliseconds. */
    promised?: { title: string; until: string | number }[];
  };
  form: Form | null;
  parts: Part[];
}

export type ToldAnswer = Answer | { text: string } | { number: number } | { flag: boolean };

/** As the agent tells it: the record as it is stored. */
export type ToldVisit = Omit<Visit, 'visit' | 'form'> & {
  visit: Omit<Visit['visit'], 'answers'> & { answers?: { field: string; value: ToldAnswer }[] };
  form: ToldForm | null;
};
