// Surveys, as the API tells them.

import type { Label } from '../../lib/types';

export interface Survey {
  id: string;
  title: string;
  questions: Label[];
  made_by: string;
  made_at: string;
  closes_at: string;
}

export interface SurveyGroup {
  /** Empty for those without. */
  name: string;
  asked: number;
  answered: number;
  /** Of each question, in hundredths; none while nobody answered. */
  mean_centi: number[];
  bad: number;
}

export interface SurveyResult {
  all: SurveyGroup;
  tiers: SurveyGroup[];
  managers: SurveyGroup[];
  regions: SurveyGroup[];
  bad: { customer: string; scores: number[]; comment: string; follow_up: string | null }[];
}

export interface InviteLink {
  customer: string;
  /** Shown once; none where the customer has answered already. */
  link: string | null;
}

/** What is pasted into a letter: one customer a line. */
export function linkText(links: readonly InviteLink[]): string {
  return links
    .filter(({ link }) => link)
    .map(({ customer, link }) => `${customer}\t${link}`)
    .join('\n');
}

/** Questions that have a text in both languages; one that has but one asks the same in the other. */
export function questionsOf(typed: readonly Label[]): Label[] {
  return typed
    .map(({ zh, en }) => ({ zh: zh.trim(), en: en.trim() }))
    .filter(({ zh, en }) => zh || en)
    .map(({ zh, en }) => ({ zh: zh || en, en: en || zh }));
}
