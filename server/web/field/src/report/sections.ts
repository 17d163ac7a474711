import type { reportWords } from '../words/report';

/** The parts of a report. */
export type SectionName = keyof (typeof reportWords)['en']['section'];
